// What a site's tag is answered: `GET /s/SITE.js`. It takes the page's calls from the first moment,
// starts the tracker (src/lib.rs, as WebAssembly, which lies in this very script unless it is the
// streaming form), and tells it what the browser tells.
//
// It runs in other people's pages, so nothing in it throws: a tracker that cannot work is silent.
// `cargo xtask build` makes tracker.js beside it and puts in the words in capitals, but for the site,
// its settings and the version (how the addresses of its other files begin), which are put in when it
// is served.

import { lines, read } from './calls.js';
import { consent, follow } from './consent.js';
import { fallback } from './fallback.js';
import { CALLED, get, HIDDEN, IDLE, isAllowed, leftOut, open, say, set, STARTED, TICKED, VIEWED } from './host.js';
import { attach, imports, tracker as wasm } from './tracker.js';
import { watch } from './watch.js';

const CALLS_MAX = 100;
// The streaming form's module may hang; by then the page view goes without it.
const LATE_MILLIS = 3000;

const run = (script, before) => {
  // The page may have made a `footfall` of its own: a function, to call before this script came, or
  // an object of options. The tag twice in one page would count everything twice.
  const mine = __FOOTFALL_SITE__;
  if (before?.site === mine) return;
  const early = before?.q || [];
  const waiting = [];
  // What the page says for all its tags goes from one to the next.
  const said = before?.o || before;
  const settings = __FOOTFALL_SETTINGS__;
  const dataset = script?.dataset || {};
  const option = (name) =>
    name in dataset ? dataset[name] !== 'false' && (dataset[name] || true)
    : (said?.[name] ?? settings[name]) ??
      (name === 'collector' ? new URL(script.src).origin : name === 'debug' && /[?&]footfall_debug\b/.test(location.search));
  let tracker = null;
  let ended = false;

  // A trap, or a page that throws into us, ends the tracker: what it holds may be half done.
  const tell = (signal, number = 0, lines = '') => {
    try {
      return tracker?.(signal, number, lines);
    } catch (error) {
      tracker = null;
      ended = true;
      footfall.ready = false;
      say('ended', error);
    }
  };

  // When somebody tracks.
  const later = (work) => waiting.length < CALLS_MAX && waiting.push(work);

  const record = (lines) => {
    if (!tracker) return later(() => record(lines));
    tell(CALLED, 0, lines);
    // Nobody may be there to see the next one off.
    if (document.hidden) tell(HIDDEN);
  };

  // What only some sites want lies beside the script, a file each (../parts).
  const load = async (name, use) => {
    try {
      await use((await import(new URL(__FOOTFALL_VERSION__ + `${name}.js`, script.src))).default);
    } catch (error) {
      say('without', name, error);
    }
  };

  // Who leaves before that is done is told of on the next page: a form that logs in leads on at once.
  const hash = (told) => {
    set('traits', told);
    load('traits', async (hashed) => {
      const [user, traits] = JSON.parse(told);
      try {
        const hashes = await hashed(traits, option);
        // Somebody else may sit there by now.
        if (user === get('user')) call(['identify', user, hashes]);
      } finally {
        set('traits', '');
      }
    });
  };

  // An object that cannot be written as JSON, say.
  const attempt = (work) => {
    try {
      work();
    } catch (error) {
      leftOut(error);
    }
  };

  const call = (given) =>
    attempt(() => {
      const called = read(given);
      // What the visitor says counts at once, for all that waits too.
      if (called.name === 'consent') {
        consent(called.object || {}, tell, record);
        return waiting.splice(0).forEach(attempt);
      }
      if (called.name === 'page') return tell(VIEWED);
      // Who agrees before there is a tracker is known by what was said before that.
      if (!tracker && !isAllowed()) return later(() => call(given));
      // How long somebody looked is told before they are another.
      if (called.name === 'reset') tell(HIDDEN);
      const event = lines(called, hash);
      if (event) record(event);
    });

  const own = (...given) => call(given);
  const footfall = (...given) => {
    own(...given);
    // Another site's tag in the same page hears it too, and one that is still to come.
    if (before?.site) before(...given);
    else if (early.length < CALLS_MAX) early[early.length] = given;
  };
  own.site = mine;
  window.footfall = Object.assign(footfall, {
    o: said,
    site: mine,
    // Another site's tag that comes later hears what was called before it.
    q: early,
    // For tests: whether calls reach the tracker, and whether all it has seen is delivered.
    ready: false,
    idle: () => !!tell(IDLE),
  });

  open(mine, option, tell);
  follow(tell);
  // Of the page before; and the first look into the storage takes long, so it is not left to the first view.
  const told = get('traits');
  early.forEach(call);
  // Whoever holds on to the page's own `footfall` pushes to what was its array.
  early.push = (given) => footfall(...given);

  const join = (name) => load(name, (part) => part(own, option, say));

  const begin = (next) => {
    if (ended) return;
    const viewed = !!tracker;
    // An address that is about to be viewed is viewed by who saw it come.
    tell(TICKED);
    tracker = next;
    tell(STARTED, viewed);
    waiting.splice(0).forEach(attempt);
    footfall.ready = !!tracker;
    if (viewed) return;
    const parts = `${option('with') || ''}`.match(/[\w-]+/g) || [];
    parts.forEach(join);
    // Neither somebody else's by now, nor what an early call is at.
    if (told && told === get('traits')) hash(told);
  };
  const late = () => tracker || begin(fallback);
  watch(tell, call, late);
  setTimeout(late, LATE_MILLIS);

  const instantiate = async () => {
    // Who comes from another domain of the site's brings who they are, before the page is viewed.
    await (option('domains') && /[?&]_ff=/.test(location) && join('domains'));
    // Another task, as before the first view: in between the browser draws the page and hears the visitor.
    await new Promise(setTimeout);
    if (INLINE) {
      const text = __FOOTFALL_WASM__;
      const bytes = new Uint8Array(text.length);
      for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at) ^ KEY;
      return WebAssembly.instantiate(bytes, imports);
    } else {
      const response = await fetch(new URL(__FOOTFALL_VERSION__ + 'wasm', script.src), { credentials: 'omit' });
      // A proxy that changes the content type must not cost the tracker.
      return WebAssembly.instantiate(await response.arrayBuffer(), imports);
    }
  };
  instantiate().then(
    async ({ instance }) => {
      attach(instance.exports);
      await new Promise(setTimeout);
      begin((signal, number, lines) => wasm.signal(document, signal, number, lines));
    },
    (error) => {
      say('no wasm:', error);
      late();
    },
  );
};

const tag = document.currentScript;
const start = () => {
  try {
    run(tag, window.footfall);
  } catch {}
};
// A page that the browser makes ready before the visitor asks for it is no visit until they do.
if (document.prerendering) document.addEventListener('prerenderingchange', start);
else start();
