// The tracker's core (../../../sdk-wasm/src) once more, in JavaScript, to measure beside it: the loader is
// the same, and so is all it does: views, engagement, the queue, batches, and what follows an answer.

import {
  ACTIVE,
  ANSWERED,
  beacon,
  CALLED,
  FORGOTTEN,
  held,
  HIDDEN,
  later,
  NAVIGATED,
  post,
  queue,
  setQueue,
  STARTED,
  TICKED,
  VIEWED,
  page as seen,
} from './host.js';
import { who } from './who.js';

const FLUSH_MILLIS = 1000;
const QUEUE_EVENTS_MAX = 100;
const BATCH_BYTES_MAX = 62 * 1024;
const SETTLE_MILLIS = 100;
const ACTIVE_MILLIS = 30_000;
const PART_MILLIS = 60_000;
const TOLD_MILLIS_MIN = 500;

let viewed, referrer, settles, looked, engaged, depth, depthTold, inFlight, beaconed, due, anySent;

const turns = () => (engaged = depth = depthTold = 0);
const forget = () => {
  viewed = referrer = '';
  settles = looked = due = anySent = 0;
  inFlight = [];
  beaconed = [];
  turns();
};
forget();

const events = () => queue().split('\n').filter(Boolean);
const keep = (lines) => setQueue(lines.join('\n'));
const bytes = (line) => new TextEncoder().encode(line).length;
const wanted = () => (due ||= Date.now() + (anySent ? FLUSH_MILLIS : 0));

const record = (page, lines, begins) => {
  const found = who(begins);
  if (!found) return;
  const [id, visitor, session, user, consent] = found.split('\n');
  const [url, categories, title] = page.split('\n');
  const [type, name, funnel, step, properties] = lines.split('\n');
  const event = { id, type, at: Date.now(), visitor, session, user, consent: JSON.parse(consent), url, referrer, title };
  Object.assign(event, { categories: categories && JSON.parse(categories), name, funnel, step });
  event.properties = properties && JSON.parse(properties);
  const line = JSON.stringify(event, (_, value) => (value === '' ? undefined : value));
  const waiting = events();
  if (waiting.length >= QUEUE_EVENTS_MAX) {
    const spare = waiting.findIndex((event) => event.startsWith('engagement', 53));
    waiting.splice(Math.max(spare, 0), 1);
  }
  keep([...waiting, line]);
  wanted();
};

const looksAway = (at, seen) => {
  if (looked) {
    engaged += Math.min(Math.max(at - looked, 0), ACTIVE_MILLIS);
    depth = Math.max(depth, seen);
  }
  looked = 0;
};

const looks = (at, seen) => {
  looksAway(at, seen);
  looked = at;
  depth = Math.max(depth, seen);
  return engaged >= PART_MILLIS;
};

const tellEngagement = () => {
  if (engaged < TOLD_MILLIS_MIN && depth <= depthTold) return;
  const part = JSON.stringify({ engaged_ms: engaged, scroll_percent: depth });
  engaged = 0;
  depthTold = depth;
  record(viewed, `engagement\n\n\n\n${part}`, false);
};

const view = (page) => {
  if (looked) looks(Date.now(), 0);
  tellEngagement();
  turns();
  seeing(page);
  record(page, 'page_view\n\n\n\n', true);
};

const seeing = (page) => {
  const [url, , , before] = page.split('\n');
  if (!viewed) referrer = before;
  else if (viewed !== url) referrer = viewed;
  viewed = url;
  settles = 0;
};

const settle = (page, atOnce) => {
  if (!settles || !(atOnce || settles <= Date.now())) return;
  settles = 0;
  if (page.split('\n')[0] !== viewed) view(page);
};

const batch = () => {
  let size = 0;
  return events().filter(
    (line) => !inFlight.includes(line) && !beaconed.includes(line) && (size += bytes(line) + 1) <= BATCH_BYTES_MAX,
  );
};

const flush = () => {
  if (!due || inFlight.length || Date.now() < due) return;
  if (held()) return (due = Date.now() + held());
  beaconed = [];
  inFlight = batch();
  due = 0;
  if (!inFlight.length) return;
  anySent = 1;
  post(inFlight.join('\n'));
};

const leave = () => {
  const lines = batch();
  if (!lines.length || (held() && !inFlight.length)) return;
  beacon(lines.join('\n'));
  beaconed.push(...lines);
};

const answered = (againMillis) => {
  inFlight = [];
  beaconed = [];
  due = Date.now() + (againMillis || FLUSH_MILLIS);
};

const signal = (_, what, number, lines) => {
  const now = Date.now();
  const page = seen();
  if (what === STARTED) {
    if (!document.hidden) looks(now, 0);
    if (number) {
      seeing(page);
      wanted();
    } else view(page);
  } else if (what === VIEWED) view(page);
  else if (what === NAVIGATED) {
    if (looked) depth = Math.max(depth, number);
    settles = now + SETTLE_MILLIS;
  }
  else if (what === HIDDEN) {
    looksAway(now, number);
    settle(page, true);
    tellEngagement();
    leave();
  } else if (what === FORGOTTEN) forget();
  else if (what === TICKED) {
    settle(page);
    flush();
  } else if (what === ANSWERED) answered(number);
  else if (what === ACTIVE) {
    if (looks(now, number)) tellEngagement();
  } else if (what === CALLED) record(page, lines, true);
  else return !settles && !inFlight.length && !queue();
  const next = Math.min(settles || Infinity, (!inFlight.length && due) || Infinity);
  if (next < Infinity) later(Math.max(next - Date.now(), 0));
  return false;
};

export const tracker = { signal };
export const imports = {};
export const attach = () => {};
