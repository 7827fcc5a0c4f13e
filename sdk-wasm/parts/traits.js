// A person's e-mail, phone and name, normalised and hashed before they leave the page: the same
// hashes as the crate `identifier` makes of the raw texts, so that it does not matter where it is done.

// Characters that take no room on a page and come along when text is pasted (identifier/src/text.rs).
const INVISIBLE = /[\xad\u200b\u200e\u200f\u2060\u202a\u202c\ufeff]/g;
const ATOM = "(?:[\\w!#$%&'*+/=?^`{|}~-]|[^\\0-\\x7f\\s\\p{Cc}])+";
const LETTER = '(?:[a-z\\d]|[^\\0-\\x7f])';
const LABEL = `${LETTER}(?:(?:${LETTER}|-)*${LETTER})?`;
const ADDRESS = new RegExp(`^(${ATOM}(?:\\.${ATOM})*)@((?:${LABEL}\\.)+(?!\\d+$)${LABEL})$`, 'u');

// What is dialled before a national number and falls away behind the country's code, where that is
// not 0. In Italy, San Marino, Côte d'Ivoire and the Congo a 0 belongs to the number.
const NOTHING = /^$/;
const TRUNK = {
  1: /^1/,
  7: /^8/,
  36: /^06/,
  39: NOTHING,
  225: NOTHING,
  242: NOTHING,
  370: /^[08]/,
  375: /^80?/,
  378: NOTHING,
  993: /^8/,
};

const utf8 = (text) => new TextEncoder().encode(text);
const within = (text, bytes) => utf8(text).length <= bytes;
const canonical = (raw) => `${raw}`.replace(INVISIBLE, '').normalize().replace(/[\s\x85]+/g, ' ').trim();

const sha256 = async (text) => {
  const digest = await crypto.subtle.digest('SHA-256', utf8(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, 0)).join('');
};

// Each takes what a person wrote, and gives what is hashed; nothing where no platform could read it.
const email = (raw) => {
  const address = raw.toLowerCase();
  const [, name, domain] = (within(address, 254) && ADDRESS.exec(address)) || [];
  if (!name || !within(name, 64) || !domain.split('.').every((label) => within(label, 63))) return [];
  const short = /^(gmail|googlemail)\.com$/.test(domain) ? name.replace(/\+.*|\./g, '') : name;
  return short ? [address, `${short}@${domain}`] : [];
};

const phone = (raw, code) => {
  const written = raw.normalize('NFKC').replace(/^\+/, '00').replace(/\( *0 *\)| *(ext|x|#)\D*\d+$/gi, '');
  if (/[^\d\s()./\u2010-\u2015-]/.test(written)) return [];
  let digits = written.replace(/\D/g, '');
  if (/^00/.test(digits)) digits = digits.slice(2);
  else if (code) digits = code + digits.replace(TRUNK[code] || /^0/, '');
  else return [];
  // ITU-T E.164: at most 15 digits; the shortest in use have 7 with their country's.
  return /^[1-9]\d{6,14}$/.test(digits) ? [`+${digits}`, digits] : [];
};

const name = (raw) => (within(raw, 256) && /\p{Alphabetic}/u.test(raw) ? [raw.toLowerCase()] : []);

// By the trait's name in small letters: how it is read, and what its hashes are called.
const READ = {
  email: [email, 'email_sha256', 'email_google_sha256'],
  phone: [phone, 'phone_sha256', 'phone_meta_sha256'],
  firstname: [name, 'first_name_sha256'],
  lastname: [name, 'last_name_sha256'],
};

// `crypto.subtle` is missing on plain http pages: there this throws, and none of the traits goes.
export default async (traits, option) => {
  const code = `${option('phoneCode') || ''}`.replace(/\D/g, '');
  const hashed = {};
  for (const key in traits) {
    const [read, ...names] = READ[key.toLowerCase().replace('_', '')] || [];
    if (!read || traits[key] == null) continue;
    const raw = canonical(traits[key]);
    // A text that was hashed already goes as it is, for nobody can tell by whose rule; one of another
    // digest (MD5, SHA-1) does not go at all.
    const isDigest = /^[\da-f]+$/i.test(raw) && [32, 40, 64].includes(raw.length);
    const texts = isDigest ? [] : read(raw, code);
    for (const [at, name] of names.entries()) {
      if (isDigest && raw.length === 64) hashed[name] = raw.toLowerCase();
      else if (texts[at]) hashed[name] = await sha256(texts[at]);
    }
  }
  return hashed;
};
