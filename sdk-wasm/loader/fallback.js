// What the page has where WebAssembly is refused (a content security policy without
// 'wasm-unsafe-eval') or late: views and calls, with the same ids in the same storage, so that
// the tracker goes on from here if it comes. As there, an event stays in the queue until it is answered.

import { ANSWERED, beacon, CALLED, held, HIDDEN, later, NAVIGATED, page, post, queue, setQueue, TICKED, VIEWED } from './host.js';
import { who } from './who.js';

// Events that wait, as with the tracker (src/config.rs).
const QUEUE_MAX = 100;
// Of one request, which outlives the page where it is no larger than 64 KB.
const BATCH_BYTES_MAX = 60_000;
// As with the tracker (src/capture/page.rs).
const SETTLE_MILLIS = 100;

let viewed = '';
let referrer = '';
// After a failure, when to try again.
let due = 0;
// Whether the page has another address, which is not viewed yet.
let settles = false;

const wait = () => Math.max(held(), due - Date.now());

export const send = (lines, consented) => {
  const found = who(true, consented);
  if (!found) return;
  const [id, visitor, session, user, consent] = found.split('\n');
  const [type, name, funnel, step, properties] = lines.split('\n');
  const [url, categories, title] = page().split('\n');
  const event = { id, type, at: Date.now(), visitor, session, user, url, referrer, title, name, funnel, step };
  // What is JSON already goes in as it is.
  const raw = (key, json) => json && `,"${key}":${json}`;
  const texts = JSON.stringify(event, (_, value) => value || undefined).slice(0, -1);
  const line = `${texts}${raw('consent', consent)}${raw('categories', categories)}${raw('properties', properties)}}`;
  // What is said for the last time waits for nobody.
  if (consented) return beacon(line);
  setQueue(`${queue()}\n${line}`.trim().split('\n').slice(-QUEUE_MAX).join('\n'));
  later(wait());
};

const view = () => {
  if (location.href !== viewed) referrer = viewed || document.referrer;
  viewed = location.href;
  send('page_view\n\n\n\n');
};

// The oldest events that fit.
const batch = () => {
  let left = BATCH_BYTES_MAX;
  return queue().split('\n').filter((line) => (left -= new Blob([line]).size) > 0).join('\n');
};

// Takes what the tracker takes, and tells whether all is delivered.
export const fallback = (signal, number, lines) => {
  if (signal === CALLED) send(lines);
  else if (signal === ANSWERED) {
    due = Date.now() + number;
    later(number);
  } else if (signal === NAVIGATED) {
    settles = true;
    later(SETTLE_MILLIS);
  } else if (signal <= VIEWED) view();
  else if (signal === TICKED || signal === HIDDEN) {
    if (settles && location.href !== viewed) view();
    settles = false;
    if (batch()) wait() > 0 ? later(wait()) : (signal === TICKED ? post : beacon)(batch());
  }
  return !batch();
};
