// What a site's tag is answered: `GET /s/SITE.js`. It takes the page's calls from the first moment,
// starts the tracker (src/lib.rs, as WebAssembly, which lies in this very script unless it is the
// streaming form), and tells it what the browser tells.
//
// It runs in other people's pages, so nothing in it throws: a tracker that cannot work is silent.
// `cargo xtask build` makes tracker.js beside it and puts in the words in capitals, but for the site,
// its settings and the version (how the addresses of its other files begin), which are put in when it
// is served.

import { consent } from './consent.js';
import { fallback } from './fallback.js';
import { CALLED, HIDDEN, IDLE, NAVIGATED, open, say, SHOWN, STARTED } from './host.js';
import { attach, imports, tracker as wasm } from './tracker.js';

const CALLS_MAX = 100;
// Traits that are hashed before they go; an underscore may stand before "name".
const PERSONAL = /^(email|phone|(fir|la)st_?name)$/i;
// The streaming form's module may hang; by then the page view goes without it.
const LATE_MILLIS = 3000;

const run = (script, before) => {
  // The page may have made a `footfall` of its own: a function, to call before this script came, or
  // an object of options. The tag twice in one page would count everything twice.
  if (before && before.idle) return;
  const early = (before && before.q) || [];
  const waiting = [];
  const dataset = (script && script.dataset) || {};
  const settings = __FOOTFALL_SETTINGS__;
  const option = (name) => (name in dataset ? dataset[name] || true : ((before && before[name]) ?? settings[name]));

  const collector = option('collector') || new URL(script.src).origin;
  const debug = !!option('debug') || /[?&]footfall_debug\b/.test(location.search);
  let tracker = null;
  let ended = false;

  // A trap, or a page that throws into us, ends the tracker: what it holds may be half done.
  const tell = (signal, detail) => {
    try {
      return tracker && tracker(signal, detail);
    } catch (error) {
      tracker = null;
      ended = true;
      footfall.ready = false;
      say('ended:', error);
    }
  };

  const call = (given) => {
    try {
      const values = Array.from(given);
      const isObject = (value) => typeof value === 'object' && value !== null;
      const object = values.find(isObject);
      // What the visitor says counts at once, before anything that waits is sent.
      if (values[0] === 'consent' && object) return consent(object, call, tell);
      if (!tracker) return waiting.length < CALLS_MAX && waiting.push(given);
      const texts = values.filter((value) => !isObject(value) && value != null);
      const lines = [0, 1, 2].map((at) => `${at in texts ? texts[at] : ''}`.replace(/\n/g, ' '));
      // Who it is does not leave the page: that is told by hashes, behind the id, which is told at once.
      let personal;
      const json = JSON.stringify(object, (key, value) => {
        if (values[0] !== 'identify' || !PERSONAL.test(key) || option('rawTraits')) return value;
        personal = true;
      });
      lines.push(json || '');
      tell(CALLED, lines.join('\n'));
      if (personal) load('traits', async (hash) => call(['identify', texts[1], await hash(object, option)]));
    } catch (error) {
      // An object that cannot be written as JSON.
      say('left out:', error);
    }
  };

  const footfall = function () {
    call(arguments);
  };
  footfall.site = __FOOTFALL_SITE__;
  footfall.q = { push: call };
  // For tests: whether calls reach the tracker, and whether all it has seen is delivered.
  footfall.ready = false;
  footfall.idle = () => !!tell(IDLE);
  window.footfall = footfall;

  open(__FOOTFALL_SITE__, collector, debug, tell);
  early.splice(0).forEach(call);
  // Whoever holds on to the page's own `footfall` pushes to what was its array.
  early.push = call;

  // What only some sites want lies beside the script, a file each (../parts).
  const load = async (name, use) => {
    try {
      await use((await import(new URL(__FOOTFALL_VERSION__ + `${name}.js`, script.src))).default);
    } catch (error) {
      say('without', name, error);
    }
  };

  const join = (name) => load(name, (part) => part(footfall, option, say));

  const begin = (next) => {
    if (ended) return;
    const viewed = !!tracker;
    tracker = next;
    tell(STARTED, viewed);
    waiting.splice(0).forEach(call);
    footfall.ready = !!tracker;
    if (viewed) return;
    ([option('with')].join().match(/[\w-]+/g) || []).forEach(join);
  };
  const late = () => tracker || begin(fallback);

  for (const method of ['pushState', 'replaceState']) {
    const original = history[method];
    history[method] = function () {
      const result = original.apply(this, arguments);
      tell(NAVIGATED, method === 'replaceState');
      return result;
    };
  }
  const hide = () => {
    late();
    tell(HIDDEN);
  };
  addEventListener('popstate', () => tell(NAVIGATED));
  addEventListener('pageshow', (event) => event.persisted && tell(SHOWN));
  addEventListener('pagehide', hide);
  document.addEventListener('visibilitychange', () => document.visibilityState === 'hidden' && hide());
  setTimeout(late, LATE_MILLIS);

  const instantiate = async () => {
    // Who comes from another domain of the site's brings who they are, before the page is viewed.
    await (/[?&]_ff=/.test(location) && join('domains'));
    if (INLINE) {
      const text = __FOOTFALL_WASM__;
      const bytes = new Uint8Array(text.length);
      // The low half of each character, whichever one-byte encoding the script was read in.
      for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
      return WebAssembly.instantiate(bytes, imports);
    }
    const response = await fetch(new URL(__FOOTFALL_VERSION__ + 'wasm', script.src), { credentials: 'omit' });
    // A proxy that changes the content type must not cost the tracker.
    return WebAssembly.instantiate(await response.arrayBuffer(), imports);
  };
  instantiate().then(
    ({ instance }) => {
      attach(instance.exports);
      begin((signal, detail) =>
        signal === CALLED ? wasm.call(document, detail) : wasm.signal(document, signal, detail),
      );
    },
    (error) => {
      say('no WebAssembly:', error);
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
