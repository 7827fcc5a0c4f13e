// What a site's tag is answered: `GET /s/SITE.js`. It takes the page's calls from the first moment,
// fetches the tracker (src/lib.rs, as WebAssembly), and is its hands: it listens, posts and waits.
//
// It runs in other people's pages, so nothing in it throws: a tracker that cannot work is silent.
// The two words in capitals are replaced when it is served.
(() => {
  'use strict';

  const CALLS_MAX = 100;
  const site = __FOOTFALL_SITE__;
  const version = __FOOTFALL_VERSION__;

  const script = document.currentScript;
  // The tag twice in one page would count everything twice.
  if (!script || (window.footfall && window.footfall.site)) return;

  const debug = script.hasAttribute('data-debug');
  // The page may have made a `footfall` of its own, to call before this script came.
  const calls = (window.footfall && window.footfall.q) || [];
  let tracker = null;
  let timer = 0;

  const safely = (work) => {
    try {
      return work();
    } catch (error) {
      if (debug) console.debug('footfall:', error);
    }
  };
  const tell = (signal) => safely(() => tracker && signal(tracker));

  const call = (given) =>
    tell(() => {
      const values = Array.from(given);
      const isObject = (value) => typeof value === 'object' && value !== null;
      const object = values.find(isObject);
      if (values[0] === 'consent') {
        const { analytics, personalization, ads } = object || {};
        tracker.consent(analytics, personalization, ads);
      } else {
        const texts = values.filter((value) => !isObject(value) && value != null).map(String);
        tracker.command(texts, object && JSON.stringify(object));
      }
    });

  const footfall = function () {
    safely(() => footfall.q.push(arguments));
  };
  footfall.site = site;
  footfall.q = { push: (given) => calls.length < CALLS_MAX && calls.push(given) };
  // For tests: whether calls reach the tracker, and whether all it has seen is delivered.
  footfall.ready = false;
  footfall.idle = () => !!tell((tracker) => tracker.idle());
  window.footfall = footfall;

  const host = {
    post(url, body) {
      // A text goes as text/plain, which needs no preflight request.
      const request = { method: 'POST', body, keepalive: true, credentials: 'omit' };
      const answered = (status) => tell((tracker) => tracker.answered(status));
      safely(() =>
        fetch(url, request).then(
          (response) => answered(response.status),
          () => answered(0),
        ),
      );
    },
    later(afterMillis) {
      clearTimeout(timer);
      timer = setTimeout(() => tell((tracker) => tracker.tick()), afterMillis);
    },
  };

  const listen = () => {
    for (const method of ['pushState', 'replaceState']) {
      const original = history[method];
      history[method] = function () {
        const result = original.apply(this, arguments);
        tell((tracker) => tracker.navigated(method === 'replaceState'));
        return result;
      };
    }
    addEventListener('popstate', () => tell((tracker) => tracker.navigated(false)));
    addEventListener('pageshow', (event) => event.persisted && tell((tracker) => tracker.shown()));
    addEventListener('pagehide', () => tell((tracker) => tracker.hidden()));
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'hidden') tell((tracker) => tracker.hidden());
    });
  };

  const start = async () => {
    const { origin } = new URL(script.src);
    const built = `${origin}/s/footfall-${version}`;
    const module = await import(`${built}.js`);
    await module.default({ module_or_path: `${built}.wasm` });
    module.start(site, origin, debug, host);
    tracker = module;
    listen();
    calls.forEach(call);
    // Whoever holds on to the page's own `footfall` pushes to what was its array.
    calls.push = call;
    footfall.q.push = call;
    footfall.ready = true;
  };

  safely(() =>
    start().catch((error) => {
      if (debug) console.debug('footfall:', error);
    }),
  );
})();
