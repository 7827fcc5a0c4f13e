// The browser as the tracker (src/browser) and the fallback without WebAssembly (fallback.js) both
// need it: what is kept, the page, ids, and the ways out. Nothing here throws.

// What a tracker is told, by number; src/lib.rs reads them. With `NAVIGATED` comes whether the address
// was replaced, with `STARTED` whether the page is viewed already, with `ANSWERED` a status, with
// `CALLED` four lines.
export const STARTED = 0;
export const NAVIGATED = 1;
export const SHOWN = 2;
export const HIDDEN = 3;
export const FORGOTTEN = 4;
export const TICKED = 5;
export const ANSWERED = 6;
export const IDLE = 7;
export const CALLED = 8;

const memory = {};
let site = '';
let url = '';
let debug = false;
let timer = 0;
let tell = () => {};

// The loader says once for whom it works, and how a signal reaches whoever tracks now.
export const open = (name, address, inDebugMode, telling) => {
  [site, url, debug, tell] = [name, address, inDebugMode, telling];
};

const fullKey = (key) => `footfall.${site}.${key}`;

// Merely asking for `localStorage` throws on some pages; what cannot be written there (forbidden, or
// full) is kept in memory until the page ends.
export const get = (key) => {
  const full = fullKey(key);
  let value;
  try {
    value = memory[full] || localStorage.getItem(full);
  } catch {}
  return value || (key === 'consent' && signalled()) || '';
};

// What the browser says for a visitor who has not answered: Do Not Track is a no to everything, Global
// Privacy Control (<https://www.w3.org/TR/gpc/>) a no to being sent to others.
const signalled = () =>
  navigator.doNotTrack === '1' ? 'denied denied denied' : navigator.globalPrivacyControl && 'unknown unknown denied';

export const set = (key, value) => {
  key = fullKey(key);
  delete memory[key];
  try {
    localStorage.setItem(key, value);
  } catch {
    memory[key] = value;
  }
};

export const remove = (key) => {
  key = fullKey(key);
  delete memory[key];
  try {
    localStorage.removeItem(key);
  } catch {}
};

// What the visitor has said of analytics, personalization and ads.
export const answers = () => {
  const stored = get('consent').split(' ');
  return [0, 1, 2].map((purpose) => stored[purpose] || 'unknown');
};

// A UUID of version 7 (RFC 9562, section 5.7). `crypto.randomUUID` is missing on plain http pages.
export const newId = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(10));
  const hex = (number, digits) => number.toString(16).padStart(digits, 0);
  const random = Array.from(bytes, (byte) => hex(byte, 2)).join('');
  const digits = `${hex(Date.now(), 12)}7${random.slice(0, 3)}${'89ab'[bytes[9] & 3]}${random.slice(3)}`;
  return digits.replace(/(.{8})(.{4})(.{4})(.{4})(.{12}).*/, '$1-$2-$3-$4-$5');
};

export const isJson = (text) => {
  try {
    return !!JSON.parse(text);
  } catch {
    return false;
  }
};

// Address and category, a line each.
export const page = () => {
  const meta = document.querySelector('meta[name="footfall:category"]');
  const levels = ((meta && meta.content) || '').split('/').map((level) => level.trim());
  return `${location.href}\n${levels.filter((level) => level).join('/').replace(/\s+/g, ' ')}`;
};

// No `Intl`: its first call in a page takes 50 ms.
const batch = (events) => {
  const context = {
    language: navigator.language,
    screen_width: screen.width,
    timezone_offset: new Date().getTimezoneOffset() | 0,
    webdriver: !!navigator.webdriver,
  };
  return `{"site":"${site}","sent_at":${Date.now()},"context":${JSON.stringify(context)},"events":[${events.replace(/\n/g, ',')}]}`;
};

// A text goes as text/plain, which needs no preflight request.
export const post = (events) => {
  const status = async () =>
    (await fetch(url, { method: 'POST', body: batch(events), keepalive: true, credentials: 'omit' })).status;
  status()
    .catch(() => 0)
    .then((status) => {
      say(status, events);
      tell(ANSWERED, status);
    });
};

// The browser sends it even when the page is gone, and tells nothing of what became of it.
export const beacon = (events) => {
  try {
    say(navigator.sendBeacon(url, batch(events)), events);
  } catch {}
};

export const later = (afterMillis) => {
  clearTimeout(timer);
  timer = setTimeout(() => tell(TICKED), afterMillis);
};

export const say = (...what) => debug && console.debug('footfall:', ...what);

export const leftOut = (why) => say('left out:', why);
