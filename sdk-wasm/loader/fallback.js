// What the page has where WebAssembly is refused (a content security policy without
// 'wasm-unsafe-eval') or late: views and calls, with the same ids in the same storage, so that
// the tracker goes on from here if it comes. Each event goes at once, and is not tried again.

import { answers, beacon, CALLED, get, leftOut, NAVIGATED, newId, page, set, SHOWN } from './host.js';

const INACTIVITY_MILLIS = 30 * 60 * 1000;

let viewed = '';
let referrer = '';

const known = (id) => (/^[\da-f-]{36}$/i.test(id) ? id : newId());

export const send = (type, fields, consented = answers()) => {
  if (answers()[0] === 'denied') return leftOut('denied');
  const [analytics, personalization, ads] = consented;
  const at = Date.now();
  const [before, last] = get('session').split(' ');
  const session = known(Math.abs(at - last) <= INACTIVITY_MILLIS && before);
  const visitor = known(get('visitor'));
  set('session', `${session} ${at}`);
  set('visitor', visitor);
  const [url, category] = page().split('\n');
  const levels = category.split('/').slice(0, 8);
  beacon(
    JSON.stringify({
      id: newId(),
      type,
      at,
      visitor,
      session,
      user: get('user') || undefined,
      consent: { analytics, personalization, ads },
      url,
      referrer,
      title: document.title,
      categories: category ? levels.map((_, last) => levels.slice(0, last + 1).join('/')) : [],
      ...fields,
    }),
  );
};

const view = () => {
  referrer = viewed || document.referrer;
  viewed = location.href;
  send('page_view');
};

const address = (url) => url.replace(/#(?![/!]).*/, '');

const call = (lines) => {
  const [name, first, second, json] = lines.split('\n');
  const properties = json ? JSON.parse(json) : undefined;
  if (name === 'page') return view();
  if (name === 'step') return send(name, { funnel: first, step: second, properties });
  if (name !== 'identify') return send('custom', { name, properties });
  if (answers()[0] !== 'denied') set('user', first);
  send(name, { properties });
};

// Takes what the tracker takes, and is idle whenever it is asked: it waits for nothing.
export const fallback = (signal, detail) => {
  if (signal === CALLED) call(detail);
  else if (signal === NAVIGATED ? address(location.href) !== address(viewed) : signal <= SHOWN) view();
  return true;
};
