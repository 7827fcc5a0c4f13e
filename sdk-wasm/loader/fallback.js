// What the page has where WebAssembly is refused (a content security policy without
// 'wasm-unsafe-eval') or late: views and calls, with the same ids in the same storage, so that
// the tracker goes on from here if it comes. What the browser does not take at once stays in the queue.

import { beacon, CALLED, held, leftOut, NAVIGATED, page, queue, setQueue, VIEWED } from './host.js';
import { who } from './who.js';

// Events that wait, as with the tracker (src/config.rs).
const QUEUE_MAX = 100;

let viewed = '';
let referrer = '';

export const send = (lines, consented) => {
  const found = who(true, consented);
  if (!found) return leftOut('denied');
  const [id, visitor, session, user, consent] = found.split('\n');
  const [type, name, funnel, step, properties] = lines.split('\n');
  const [url, categories, title] = page().split('\n');
  const read = (json) => (json ? JSON.parse(json) : '');
  const event = {
    id,
    type,
    at: Date.now(),
    visitor,
    session,
    user,
    consent: read(consent),
    url,
    referrer,
    title,
    categories: read(categories),
    name,
    funnel,
    step,
    properties: read(properties),
  };
  const line = JSON.stringify(event, (_, value) => (value === '' ? undefined : value));
  const events = `${queue()}\n${line}`.trim().split('\n').slice(-QUEUE_MAX).join('\n');
  // What is said for the last time waits for nobody.
  setQueue((held() && !consented) || !beacon(events) ? events : '');
};

const view = () => {
  referrer = viewed || document.referrer;
  viewed = location.href;
  send('page_view\n\n\n\n');
};

// Takes what the tracker takes, and is idle whenever it is asked: it waits for nothing.
export const fallback = (signal, _, lines) => {
  if (signal === CALLED) send(lines);
  else if (signal === NAVIGATED ? location.href !== viewed : signal <= VIEWED) view();
  return true;
};
