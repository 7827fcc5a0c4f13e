// HMAC-SHA-256 of a text (RFC 2104 over FIPS 180-4), at once: a click does not wait. What the browser has for it,
// `crypto.subtle`, answers later, and is missing on plain http pages. The smallest of the libraries takes more than
// what is left of the part's 3 KB.

const BLOCK_BYTES = 64;

const primes = [];
for (let number = 2; primes.length < 64; number++) if (primes.every((prime) => number % prime)) primes.push(number);

// The first 32 bits behind the point of the primes' square and cube roots (FIPS 180-4, 4.2.2 and 5.3.3).
const fraction = (root) => (root * 2 ** 32) | 0;
const BEGIN = primes.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));
const ROUNDS = primes.map((prime) => fraction(Math.cbrt(prime)));

const turned = (word, by) => (word >>> by) | (word << (32 - by));

// FIPS 180-4, 6.2.2; the names of the words are the standard's.
const sha256 = (bytes) => {
  // Behind the text a one, noughts, and how many bits it has.
  const blocks = new DataView(new ArrayBuffer(((bytes.length + 8) & -BLOCK_BYTES) + BLOCK_BYTES));
  bytes.forEach((byte, at) => blocks.setUint8(at, byte));
  blocks.setUint8(bytes.length, 128);
  blocks.setUint32(blocks.byteLength - 4, bytes.length * 8);
  let state = BEGIN;
  const w = [];
  for (let block = 0; block < blocks.byteLength; block += BLOCK_BYTES) {
    let [a, b, c, d, e, f, g, h] = state;
    for (let t = 0; t < BLOCK_BYTES; t++) {
      const [x, y] = [w[t - 15], w[t - 2]];
      w[t] =
        t < 16 ? blocks.getInt32(block + 4 * t)
        : (w[t - 16] + (turned(x, 7) ^ turned(x, 18) ^ (x >>> 3)) + w[t - 7] + (turned(y, 17) ^ turned(y, 19) ^ (y >>> 10))) | 0;
      const t1 = h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + ((e & f) ^ (~e & g)) + ROUNDS[t] + w[t];
      const t2 = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      [a, b, c, d, e, f, g, h] = [(t1 + t2) | 0, a, b, c, (d + t1) | 0, e, f, g];
    }
    state = [a, b, c, d, e, f, g, h].map((word, at) => (word + state[at]) | 0);
  }
  return state.flatMap((word) => [24, 16, 8, 0].map((by) => (word >>> by) & 255));
};

// In hexadecimal digits; the key is text in ASCII, of at most a block.
export const hmac = (key, text) => {
  const keyed = (pad, bytes) =>
    sha256([...Array.from({ length: BLOCK_BYTES }, (_, at) => key.charCodeAt(at) ^ pad), ...bytes]);
  const digest = keyed(0x5c, keyed(0x36, new TextEncoder().encode(text)));
  return digest.map((byte) => byte.toString(16).padStart(2, 0)).join('');
};
