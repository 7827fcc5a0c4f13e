// What a visitor has agreed to, as a consent banner of IAB Europe's Transparency and Consent Framework tells it:
// `__tcfapi`, version 2.2.
// <https://github.com/InteractiveAdvertisingBureau/GDPR-Transparency-and-Consent-Framework/blob/master/TCFv2/IAB%20Tech%20Lab%20-%20CMP%20API%20v2.md>
//
// A purpose of ours is granted where all of these TCF purposes are, by consent: a legitimate interest is no yes.
// <https://iabeurope.eu/iab-europe-transparency-consent-framework-policies/> (appendix A)
//   analytics        1 store on a device, 8 measure content, 9 understand audiences
//   personalization  1, 5 make profiles for content, 6 use them
//   ads              1, 2 limited data for ads, 3 make profiles for ads, 4 use them, 7 measure ads
// Purpose 1 is not asked for where the banner says so (`purposeOneTreatment`).
// Nothing is taken while the banner only shows (`cmpuishown`). Where it says that the GDPR does not apply, nothing is
// taken either: that is no consent, and the site's setting for visitors who have not decided holds.
// Only a banner in the page itself is asked, not one in a frame around it; it has ten seconds to appear.

import { quietly } from './guest.js';

const PURPOSES = { analytics: [1, 8, 9], personalization: [1, 5, 6], ads: [1, 2, 3, 4, 7] };
const LOOK_EVERY_MILLIS = 250;
const LOOKS_MAX = 40;

export default (footfall, option, say) => {
  const told = (data, success) => {
    const decided = success && data.gdprApplies !== false && /^(tcloaded|useractioncomplete)$/.test(data.eventStatus);
    if (!decided) return;
    const consents = (data.purpose && data.purpose.consents) || {};
    const granted = (number) => consents[number] === true || (number === 1 && data.purposeOneTreatment === true);
    const consent = {};
    for (const purpose in PURPOSES) consent[purpose] = PURPOSES[purpose].every(granted) ? 'granted' : 'denied';
    footfall('consent', consent);
  };

  let looks = 0;
  const look = quietly(say, () => {
    if (typeof window.__tcfapi === 'function') return window.__tcfapi('addEventListener', 2, quietly(say, told));
    if (++looks < LOOKS_MAX) setTimeout(look, LOOK_EVERY_MILLIS);
    else say('no __tcfapi');
  });
  look();
};
