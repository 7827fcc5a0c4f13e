// What the page has where WebAssembly is refused (a content security policy without
// 'wasm-unsafe-eval') or late: views and calls, with the same ids in the same storage, so that
// the tracker goes on from here if it comes. Each event goes at once, and is not tried again.

import { answers, beacon, get, leftOut, newId, page, set } from './host.js';

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
  const [url, title, category] = page().split('\n');
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
      title,
      categories: category ? levels.map((_, last) => levels.slice(0, last + 1).join('/')) : [],
      ...fields,
    }),
  );
};

const view = () => {
  const [url, , , from] = page().split('\n');
  referrer = viewed || from;
  viewed = url;
  send('page_view');
};

const address = (url) => url.replace(/#(?![/!]).*/, '');

const nothing = () => {};

export const fallback = {
  start: view,
  shown: view,
  navigated: () => address(location.href) === address(viewed) || view(),
  call(lines) {
    const [name, first, second, json] = lines.split('\n');
    const properties = json ? JSON.parse(json) : undefined;
    if (name === 'page') return view();
    if (name === 'step') return send(name, { funnel: first, step: second, properties });
    if (name !== 'identify') return send('custom', { name, properties });
    if (answers()[0] !== 'denied') set('user', first);
    send(name, { properties });
  },
  hidden: nothing,
  forgotten: nothing,
  tick: nothing,
  answered: nothing,
  idle: () => true,
};
