// The browser as the tracker (src/browser) and the fallback without WebAssembly (fallback.js) both
// need it: options, what is kept, the page, and the ways out. Nothing here throws.

// What a tracker is told, by number; src/lib.rs reads them. With `STARTED` comes whether the page is
// viewed already, with `NAVIGATED`, `HIDDEN` and `ACTIVE` how much of the page was seen in percent, with
// `ANSWERED` after how many milliseconds what was sent goes again (0: it is done with), with `CALLED` five
// lines: an event's kind, name, funnel, step and properties.
export const STARTED = 0;
export const NAVIGATED = 1;
export const VIEWED = 2;
export const HIDDEN = 3;
export const FORGOTTEN = 4;
export const TICKED = 5;
export const ANSWERED = 6;
export const ACTIVE = 7;
export const CALLED = 8;
export const IDLE = 9;

// How long a tab keeps the others from sending, should it end without an answer.
const SENDING_SECONDS = 15;
const WAITING_MILLIS = 2000;
// A browser's timer ends at once where it is to take longer than some 24 days: who keeps such a time had a clock that
// was ahead.
const TIMER_MILLIS_MAX = 2e9;
// The longest wait between two attempts.
const RETRY_MILLIS_MAX = 60_000;
// A status that the same events would have again: they are on the collector's disk, or of no use to it. Not so too
// slow and too many (408, 429), nor a site, an origin or a path that is still to be made known (403, 404).
const FINAL = /^(2|4(?!0[348]|29))/;
const CATEGORIES_MAX = 8;
const URL_MAX = 2048;
const TITLE_MAX = 256;

const memory = {};
let site = '';
let timer = 0;
let sending = false;
let failures = 0;
let tell = () => {};
// An option by its name, as the tag, the page or the site's settings give it.
export let option = () => {};

// The loader says once for whom it works, and how a signal reaches whoever tracks now.
export const open = (name, options, telling) => {
  [site, option, tell] = [name, options, telling];
};

export const say = (...what) => option('debug') && console.log('footfall:', ...what);

export const leftOut = (why) => say('left out:', why);

export const fullKey = (key) => `footfall.${site}.${key}`;

// What the visitor has said of analytics, personalization and ads. Who has not answered may have let the
// browser speak: Do Not Track is a no to everything, Global Privacy Control
// (<https://www.w3.org/TR/gpc/>) a no to being sent to others. Then the site's own default counts.
export const answers = () => {
  const stored = get('consent');
  const words = `${stored || option('consent') || ''}`.split(' ');
  const no = stored ? 3 : navigator.doNotTrack === '1' ? 0 : navigator.globalPrivacyControl ? 2 : 3;
  return [0, 1, 2].map((purpose) => (purpose < no ? words[purpose] || 'unknown' : 'denied'));
};

// What the site wants while the visitor has not answered: `nothing`, `cookieless`, or to `wait`.
const before = (what) => answers()[0] === 'unknown' && option('beforeConsent') === what;

// A word that there is not is no yes.
export const isAllowed = () => /^(granted|unknown)$/.test(answers()[0]) && !before('nothing');

export const isCookieless = () => option('cookieless') || before('cookieless');

// Merely asking for `localStorage` throws on some pages; what cannot be written there (forbidden, or
// full), or may not be, is kept in memory until the page ends. The visitor's answer always may.
const isKept = (key) => key === 'consent' || !(isCookieless() || before('wait'));

export const get = (key) => {
  let value = memory[key];
  try {
    value = value || (isKept(key) && localStorage.getItem(fullKey(key)));
  } catch {}
  return value || '';
};

// What was kept before that was forbidden can still be taken away.
export const set = (key, value) => {
  memory[key] = value;
  try {
    if (isKept(key) || !value) {
      if (value) localStorage.setItem(fullKey(key), value);
      else localStorage.removeItem(fullKey(key));
      delete memory[key];
    }
  } catch {}
};

// What was held back in memory goes where it belongs now. Where another tab has kept its own by then, these are one
// visitor's: what waits here is told by the ids from there (36 characters, in front of whatever else is kept).
export const keep = () => {
  let waiting = memory.queue || '';
  delete memory.queue;
  for (const key in memory) {
    const mine = memory[key];
    delete memory[key];
    const theirs = get(key);
    if (theirs && mine[35]) waiting = waiting.split(mine.slice(0, 36)).join(theirs.slice(0, 36));
    set(key, theirs || mine);
  }
  set('queue', `${get('queue')}\n${waiting}`.trim());
};

// Something else may have written there, and one such line would cost its batch. Nothing is not asked for
// what it is: to throw takes long in a page's first moments.
export const queue = () =>
  get('queue')
    .split('\n')
    .filter((line) => {
      try {
        return line && JSON.parse(line).id;
      } catch {}
    })
    .join('\n');

export const setQueue = (events) => set('queue', events);

const one = (selector) => document.querySelector(selector) || '';

// Address, categories as JSON, title and referrer, a line each.
export const page = () => {
  const levels = (one('meta[name="footfall:category"]').content || '').split('/').map((level) => level.trim());
  const named = levels.filter((level) => level).slice(0, CATEGORIES_MAX);
  return [
    ((option('canonical') && one('link[rel=canonical]').href) || location.href).slice(0, URL_MAX),
    named.length ? JSON.stringify(named.map((_, last) => named.slice(0, last + 1).join('/'))) : '',
    document.title.replace(/\s+/g, ' ').slice(0, TITLE_MAX),
    document.referrer,
  ].join('\n');
};

// No `Intl`: its first call in a page takes 50 ms.
const batch = (events) => {
  const context = {
    screen_width: screen.width,
    language: navigator.language,
    timezone_offset: new Date().getTimezoneOffset() | 0,
    webdriver: !!navigator.webdriver,
  };
  return `{"site":"${site}","sent_at":${Date.now()},"context":${JSON.stringify(context)},"events":[${events.replace(/\n/g, ',')}]}`;
};

const url = () => option('collector') + (option('eventsPath') || '/v1/events');

// For how many seconds nobody sends: told to every tab and the next page by what is kept. Each of them waits up to as
// long again, by chance: they would all come back together.
const hold = (seconds) => set('hold', seconds && Date.now() + seconds * 1000);

export const held = () =>
  before('wait') ? WAITING_MILLIS : (1 + Math.random()) * Math.max(0, get('hold') - Date.now());

// Whoever leaves lets the others send; a wish of the collector's stays.
export const release = () => sending && hold(0);

// A text goes as text/plain, which needs no preflight request. What is done with leaves the queue, whoever sent it.
export const post = (events) => {
  const answer = async () => {
    const { status, headers } = await fetch(url(), {
      method: 'POST',
      body: batch(events),
      credentials: 'omit',
      keepalive: true,
    });
    return [status, +headers.get('retry-after'), headers.get('x-footfall-dropped') || ''];
  };
  sending = true;
  hold(SENDING_SECONDS);
  answer()
    .catch(() => [0])
    .then(([status, after, dropped]) => {
      sending = false;
      // Nothing is kept of who has denied meanwhile.
      hold(isAllowed() && after);
      say(status, dropped, events);
      const isDone = FINAL.test(status);
      if (isDone) setQueue(queue().split('\n').filter((line) => !events.includes(line)).join('\n'));
      failures = isDone ? 0 : failures + 1;
      // Doubles with each failure; the half of it is chance, so that pages that failed together do not come back together.
      tell(ANSWERED, failures && ((1 + Math.random()) * Math.min(1000 * 2 ** failures, 2 * RETRY_MILLIS_MAX)) / 4);
    });
};

// The browser sends it even when the page is gone, and tells nothing of what became of it.
export const beacon = (events) => {
  let taken = false;
  try {
    taken = navigator.sendBeacon(url(), batch(events));
    say(taken, events);
  } catch {}
  return taken;
};

export const later = (afterMillis) => {
  clearTimeout(timer);
  timer = setTimeout(() => tell(TICKED), afterMillis % TIMER_MILLIS_MAX);
};
