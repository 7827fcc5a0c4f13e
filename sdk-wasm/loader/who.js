// Who the visitor is to the site: for the tracker and for the fallback without WebAssembly.

import { answers, get, isAllowed, isCookieless, leftOut, option, set } from './host.js';

const INACTIVITY_MILLIS = 30 * 60 * 1000;
// A visit that comes by another campaign is another session.
const CAMPAIGN = /\b(utm_\w+|\w*cl(k|)id|[gw]braid|li_fat_id|sccid|rdt_cid|epik)=[^&#]+/gi;

// The one that this page has told: another tab may have come by another since, and neither begins anew for that.
let told = '';

// A UUID of version 7 (RFC 9562, section 5.7), 72 of whose bits are by chance. `crypto.randomUUID` is missing
// on plain http pages.
const newId = () => {
  const random = Array.from(crypto.getRandomValues(new Uint8Array(9)), (byte) => (byte + 256).toString(16).slice(1));
  const digits = `${Date.now().toString(16).padStart(12, 0)}7${random.join('')}`;
  return digits.replace(/(.{8})(.{4})(.{4})(.{3})/, '$1-$2-$3-8$4-');
};

// The visitor, or another script, may have changed what is kept.
const known = (id) => (/^[\da-f-]{36}$/i.test(id) ? id : newId());

// The site's day, where a session ends with it.
const day = (at) => option('midnight') && Math.floor((at / 60000 - option('midnight')) / 1440);

// The visitor's and the session's id. A session that goes on is prolonged; where it has ended another
// `begins`, or its id is told once more.
const ids = (begins) => {
  const at = Date.now();
  const [session, last, by] = get('session').split(' ');
  const campaign = (location.search.match(CAMPAIGN) || []).join('&');
  const isSame = !campaign || campaign === told || campaign === by;
  const goesOn = Math.abs(at - last) <= INACTIVITY_MILLIS && day(at) === day(last) && isSame;
  told = campaign;
  const found = [known(get('visitor')), known((goesOn || !begins) && session)];
  set('visitor', found[0]);
  if (goesOn || begins || !session) set('session', [found[1], at, goesOn ? by : campaign].join(' '));
  return found;
};

// See src/browser/storage.rs.
export const who = (begins, consented = answers()) => {
  if (!isAllowed()) return leftOut('denied') || '';
  const [analytics, personalization, ads] = consented;
  const consent = JSON.stringify({ analytics, personalization, ads });
  return [newId(), ...(isCookieless() ? ['', ''] : ids(begins)), get('user'), consent].join('\n');
};
