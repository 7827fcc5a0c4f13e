// Web vitals: how fast the page came, answered and held still, as web.dev defines it.
//
// `web_vitals`, when the page is hidden, and again when it is hidden later with other figures: the last one of a
// `load` counts, which is a number of its own for each time the page was loaded or came back.
//   lcp   largest contentful paint before the first input, ms <https://web.dev/articles/lcp>
//   inp   interaction to next paint: the slowest, one left out for every 50, ms <https://web.dev/articles/inp>
//   cls   cumulative layout shift: the worst run of shifts, each within 1 s of the last and all within 5 s
//         <https://web.dev/articles/cls>
//   fcp   first contentful paint, ms <https://web.dev/articles/fcp>
//   ttfb  until the answer's first byte, ms <https://web.dev/articles/ttfb>
//   path  of the page that was loaded: a single-page site is elsewhere by then
//   navigation  navigate, reload, back_forward, prerender or back_forward_cache
// What a browser does not tell is absent. Times of a prerendered page count from when it was shown, those of one
// that came back from the back-forward cache from then. What is painted after a page was hidden does not count.

import { onHidden, quietly } from './guest.js';

// Shorter delays are left to the browser, but for the first interaction's.
const INTERACTION_MILLIS_MIN = 40;
// What an interaction takes at most that the browser did not tell after a page came back.
const INTERACTION_MILLIS_UNTOLD = 8;
const SLOWEST_MAX = 10;
const EVENTS_MAX = 10;

export default (footfall, option, say) => {
  const loaded = performance.getEntriesByType('navigation')[0] || {};
  const activated = loaded.activationStart || 0;
  const since = (time) => Math.round(Math.max(time - activated, 0));
  const pending = [];
  let hiddenAt = Infinity;
  let left = EVENTS_MAX;
  let figures;
  let told;
  let run;
  let slowest;
  let ids = [];
  let countBefore = 0;

  const observe = (type, take, durationThreshold) => {
    const all = quietly(say, (entries) => entries.forEach(take));
    const observer = new PerformanceObserver((list) => all(list.getEntries()));
    try {
      observer.observe({ type, buffered: true, durationThreshold });
      pending.push(() => all(observer.takeRecords()));
    } catch {}
  };

  // Where the browser does not count interactions: their ids are 7 apart, as web-vitals takes them to be.
  const count = () => performance.interactionCount ?? (ids.length && (ids[1] - ids[0]) / 7 + 1);

  const begin = (navigation) => {
    figures = { load: Math.floor(Math.random() * 2 ** 32), path: location.pathname, navigation };
    told = JSON.stringify(figures);
    run = { worst: 0 };
    slowest = new Map();
    countBefore = count();
  };

  const shifted = ({ hadRecentInput, startTime, value }) => {
    if (hadRecentInput) return;
    const goesOn = startTime - run.last < 1000 && startTime - run.first < 5000;
    if (!goesOn) [run.first, run.value] = [startTime, 0];
    run.last = startTime;
    run.value += value;
    run.worst = Math.max(run.worst, run.value);
  };

  const interacted = ({ interactionId, duration }) => {
    if (!interactionId) return;
    ids = [Math.min(ids[0] ?? interactionId, interactionId), Math.max(ids[1] ?? 0, interactionId)];
    slowest.set(interactionId, Math.max(slowest.get(interactionId) || 0, duration));
    const kept = [...slowest].sort(([, one], [, other]) => other - one).slice(0, SLOWEST_MAX);
    slowest = new Map(kept);
  };

  const tell = () => {
    pending.forEach((take) => take());
    hiddenAt = Math.min(hiddenAt, performance.now());
    // Without a paint nothing was seen to shift.
    if ('fcp' in figures) figures.cls = Math.round(run.worst * 1e4) / 1e4;
    const interactions = count() - countBefore;
    const durations = [...slowest.values()];
    if (durations.length) figures.inp = durations[Math.min(durations.length - 1, Math.floor(interactions / 50))];
    else if (interactions && figures.navigation === 'back_forward_cache') figures.inp = INTERACTION_MILLIS_UNTOLD;
    const now = JSON.stringify(figures);
    if (now === told || left-- <= 0) return;
    told = now;
    footfall('web_vitals', figures);
  };

  begin(activated ? 'prerender' : loaded.type);
  countBefore = 0;
  const hidden = performance
    .getEntriesByType('visibility-state')
    .find(({ name, startTime }) => name === 'hidden' && startTime >= activated);
  if (hidden) hiddenAt = hidden.startTime;
  else if (document.visibilityState === 'hidden') hiddenAt = 0;
  if (loaded.responseStart > 0) figures.ttfb = since(loaded.responseStart);

  const painted = (figure, entry) => {
    if (entry.startTime < hiddenAt) figures[figure] = since(entry.startTime);
  };
  observe('paint', (entry) => entry.name === 'first-contentful-paint' && painted('fcp', entry));
  observe('largest-contentful-paint', (entry) => painted('lcp', entry));
  observe('layout-shift', shifted);
  observe('first-input', interacted);
  observe('event', interacted, INTERACTION_MILLIS_MIN);
  onHidden(quietly(say, tell));

  addEventListener('pageshow', ({ persisted, timeStamp }) => {
    if (!persisted) return;
    begin('back_forward_cache');
    hiddenAt = Infinity;
    const restored = figures;
    restored.ttfb = 0;
    requestAnimationFrame(() =>
      requestAnimationFrame(() => (restored.fcp = restored.lcp = Math.round(performance.now() - timeStamp))),
    );
  });
};
