// Runs before the page's own scripts: what the browser tells only inside of the page.
(() => {
  const seen = { longTasks: 0, longest: 0, shift: 0, intl: 0, sent: [] };
  window.benchSeen = seen;
  const observe = (type, note) =>
    new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type, buffered: true });
  observe('longtask', ({ duration }) => {
    seen.longTasks += 1;
    seen.longest = Math.max(seen.longest, duration);
  });
  observe('layout-shift', ({ value }) => (seen.shift += value));

  Intl.DateTimeFormat = new Proxy(Intl.DateTimeFormat, {
    construct: (...given) => ((seen.intl += 1), Reflect.construct(...given)),
    apply: (...given) => ((seen.intl += 1), Reflect.apply(...given)),
  });
  // How often `Intl` was called by the time each request is made.
  const note = (url) => seen.sent.push([`${(url && url.url) || url}`, seen.intl]);
  const wrap = (owner, name) => {
    const own = owner[name];
    owner[name] = function (...given) {
      note(name === 'open' ? given[1] : given[0]);
      return own.apply(this, given);
    };
  };
  wrap(window, 'fetch');
  wrap(Navigator.prototype, 'sendBeacon');
  wrap(XMLHttpRequest.prototype, 'open');
  // Some do not measure a browser that is driven.
  Object.defineProperty(Navigator.prototype, 'webdriver', { get: () => false });
})();
