// What a visitor has agreed to, as the page tells Google's tags (Consent Mode, version 2): the commands
// `gtag('consent', 'default' | 'update', {...})` in the `dataLayer`.
// <https://developers.google.com/tag-platform/security/guides/consent>
//
//   analytics        analytics_storage
//   personalization  personalization_storage
//   ads              ad_user_data and ad_personalization, and ad_storage where the page tells it: a no to one is a no
//
// An update is what the visitor has said, and counts at once. A default is what the site says for those who have not:
// it is taken when no update has come in `wait_for_update` (at least half a second, at most ten), and only for a
// visitor of whom nothing is known here. Which region a visitor is in a page cannot tell: a purpose with a default
// for some regions only is left to the site's own setting. Nor does a default stand against what the browser says for the
// visitor, also where it begins to say so later: with Do Not Track none is taken, with Global Privacy Control none for
// ads. What a consent banner tells Google by other means than the `dataLayer` (a template in Tag Manager) is not seen.

import { command, follow } from './data-layer.js';
import { keep, kept, quietly } from './guest.js';

const PURPOSES = {
  analytics: ['analytics_storage'],
  personalization: ['personalization_storage'],
  ads: ['ad_user_data', 'ad_personalization', 'ad_storage'],
};
const WAIT_MILLIS_MIN = 500;
const WAIT_MILLIS_MAX = 10_000;
// Where the names of the purposes are kept that were granted by a default.
const DEFAULT = 'consent-default';

// What was said of Google's purposes, in ours; what does not follow is not there.
const ours = (said) => {
  const consent = {};
  for (const purpose in PURPOSES) {
    const answers = PURPOSES[purpose].map((name) => said[name]);
    if (answers.includes('denied')) consent[purpose] = 'denied';
    else if (answers.slice(0, 2).every((answer) => answer === 'granted')) consent[purpose] = 'granted';
  }
  return consent;
};

export default (footfall, option, say) => {
  const updated = {};
  const defaults = {};
  const regional = new Set();
  let waiting = false;
  let timer;

  const byTheDefault = () => kept(footfall, DEFAULT).split(' ').filter((purpose) => purpose);
  const mark = (purposes) => keep(footfall, DEFAULT, purposes.join(' '));

  const byUpdate = quietly(say, () => {
    waiting = false;
    const consent = ours(updated);
    if (!Object.keys(consent).length) return;
    footfall('consent', consent);
    mark(byTheDefault().filter((purpose) => !(purpose in consent)));
  });

  const byDefault = () => {
    if (navigator.doNotTrack === '1') return;
    const said = { ...defaults, ...updated };
    regional.forEach((name) => name in updated || delete said[name]);
    const told = ours(updated);
    const consent = ours(said);
    if (navigator.globalPrivacyControl) delete consent.ads;
    const answers = kept(footfall, 'consent').split(' ');
    Object.keys(PURPOSES).forEach((purpose, at) => {
      const isKnown = answers[at] && answers[at] !== 'unknown';
      if (isKnown || purpose in told) delete consent[purpose];
    });
    if (!Object.keys(consent).length) return;
    footfall('consent', consent);
    mark([...byTheDefault(), ...Object.keys(consent).filter((purpose) => consent[purpose] === 'granted')]);
  };

  // Taken on a page before, and not answered since.
  const overruled = () => {
    const mine = byTheDefault();
    const denied = navigator.doNotTrack === '1' ? mine : mine.filter((purpose) => purpose === 'ads');
    if (!denied.length || !(navigator.doNotTrack === '1' || navigator.globalPrivacyControl)) return;
    footfall('consent', Object.fromEntries(denied.map((purpose) => [purpose, 'denied'])));
    mark(mine.filter((purpose) => !denied.includes(purpose)));
  };
  quietly(say, overruled)();

  follow(option, say, (entry) => {
    const [word, kind, given] = command(entry);
    if (word !== 'consent' || !given) return;
    if (kind === 'update') {
      Object.assign(updated, given);
      // A banner that tells one purpose at a time has told all of them when its own script is done.
      waiting ||= queueMicrotask(byUpdate) || true;
    } else if (kind === 'default') {
      const { region, wait_for_update: wait, ...said } = given;
      if (region) Object.keys(said).forEach((name) => regional.add(name));
      else Object.assign(defaults, said);
      clearTimeout(timer);
      timer = setTimeout(quietly(say, byDefault), Math.min(Math.max(wait || 0, WAIT_MILLIS_MIN), WAIT_MILLIS_MAX));
    }
  });
};
