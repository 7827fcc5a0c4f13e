// One visitor on several domains: links and forms to the domains that the option `domains` lists (with all under them)
// take along who the visitor is, in a parameter `_ff` that is added in the moment of the click.
//
// `_ff` is VISITOR SESSION TIME.SIGNATURE without the spaces. The signature is half of an HMAC-SHA-256 under
// the site's own key, over site, ids, time, the host that it was made for, user agent and language. The collector puts
// the key into the script of a site that has domains (`footfall site add --domain`).
// `_ff` is taken where the page was come to from a listed domain, as the browser says (`document.referrer`), within two
// minutes, by the same browser as far as a page can tell, on the host that it was made for. It is removed from the
// address before the page is viewed.
// So a link that is changed, made up without the key, another site's, copied, shared or found in a log is worth nothing.
// The key is in a script that anyone can fetch: who reads it there can sign, and must then still have the visitor come
// from a listed domain. Whoever runs script on such a domain could as well write the ids themselves.
//
// Nothing is added or taken where the visitor has denied analytics, before an answer where the site waits for one
// (`beforeConsent`), and where nothing is kept (`cookieless`). What the visitor agreed to does not travel: each domain
// asks for itself. A page that leaves by script (`location = ...`), or tells no referrer (`no-referrer`,
// `rel="noreferrer"`), takes nobody along.

import { attribute, keep, kept, quietly } from './guest.js';
import { hmac } from './hmac.js';

const VALID_MILLIS = 2 * 60 * 1000;
// Two ids of 32 digits and the time, then the signature.
const TOKEN = /^(([\da-f]{32})([\da-f]{32})([\da-z]{8,9}))\.([\da-f]{32})$/;

const uuid = (digits) => digits.replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');

// As text, so that the other parameters stay as they are written.
const without = (search) => search.replace(/([?&])_ff=[^&]*(&?)/, (_, before, after) => (after ? before : ''));

const served = new WeakSet();

// Called before the tracker begins where the address has the parameter, and again with the other parts.
export default (footfall, option, say) => {
  if (served.has(footfall)) return;
  served.add(footfall);
  const domains = `${option('domains') || ''}`.toLowerCase().match(/[^\s,]+/g) || [];
  const isListed = (host) => domains.some((domain) => host === domain || host.endsWith(`.${domain}`));

  const key = option('domainsKey');
  if (!key) say('left out: domains, since the site has none: footfall site add --domain');
  const sign = (ids, host) => {
    const bound = [footfall.site, ids, host, navigator.userAgent, navigator.language];
    return hmac(key, bound.join('\n')).slice(0, 32);
  };

  // Whether the tracker itself may keep ids: what the visitor has said, else what their browser and the site say.
  const isAllowed = () => {
    const browser = navigator.doNotTrack === '1' ? 'denied' : '';
    const answer = `${kept(footfall, 'consent') || browser || option('consent') || ''}`;
    const isSent = (option('beforeConsent') || 'send') === 'send';
    const isYes = answer.startsWith('granted') || (!answer.startsWith('denied') && isSent);
    return isYes && !option('cookieless');
  };

  const arrive = () => {
    const [, token] = /[?&]_ff=([^&]*)/.exec(location.search) || [];
    if (!token) return;
    history.replaceState(history.state, '', location.pathname + without(location.search) + location.hash);
    const [, ids, visitor, session, issued, signature] = TOKEN.exec(token) || [];
    const isFresh = Math.abs(Date.now() - parseInt(issued, 36)) < VALID_MILLIS;
    const isFromListed = document.referrer && isListed(new URL(document.referrer).hostname);
    const isGood = key && isFresh && isFromListed && signature === sign(ids, location.hostname);
    if (!isGood) return say('left out: _ff');
    if (!isAllowed()) return;
    keep(footfall, 'visitor', uuid(visitor));
    keep(footfall, 'session', `${uuid(session)} ${Date.now()}`);
  };

  const token = (host) => {
    const ids = [kept(footfall, 'visitor'), kept(footfall, 'session').split(' ')[0]].join('').replace(/-/g, '');
    if (!key || !isAllowed() || !/^[\da-f]{64}$/.test(ids)) return;
    const issued = ids + Date.now().toString(36);
    return `${issued}.${sign(issued, host)}`;
  };

  // Only for the moment: what is copied or dragged later is the page's own address.
  const lend = (element, name, value) => {
    const before = attribute(element, name);
    element.setAttribute(name, value);
    setTimeout(() => element.setAttribute(name, before));
  };

  const crossing = (address, use) => {
    const url = new URL(address, document.baseURI);
    const crosses = /^https?:$/.test(url.protocol) && url.hostname !== location.hostname && isListed(url.hostname);
    const taken = crosses && token(url.hostname);
    if (!taken) return;
    const search = without(url.search);
    url.search = `${search}${search ? '&' : '?'}_ff=${taken}`;
    use(url.href, taken);
  };

  const clicked = (event) => {
    // The second button opens a menu, from which the address is copied.
    if (event.button > 1) return;
    const link = event.composedPath().find((element) => element.matches?.('a[href],area[href]'));
    if (link) crossing(attribute(link, 'href'), (address) => lend(link, 'href', address));
  };

  const submitted = ({ target: form }) => {
    crossing(attribute(form, 'action'), (address, taken) => {
      if (/^post$/i.test(attribute(form, 'method'))) return lend(form, 'action', address);
      // The fields of a form that gets become the whole query.
      const field = Object.assign(document.createElement('input'), { type: 'hidden', name: '_ff', value: taken });
      Element.prototype.append.call(form, field);
      setTimeout(() => field.remove());
    });
  };

  quietly(say, arrive)();
  // Behind the tracker's own listeners, which tell of the link as the page wrote it.
  for (const type of ['click', 'auxclick']) document.addEventListener(type, quietly(say, clicked), true);
  document.addEventListener('submit', quietly(say, submitted), true);
};
