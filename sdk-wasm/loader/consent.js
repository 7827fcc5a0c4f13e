// What the visitor agrees to: in one place, whether or not there is WebAssembly.

import { send } from './fallback.js';
import { answers, FORGOTTEN, fullKey, get, isAllowed, keep, leftOut, set, STARTED } from './host.js';

const PURPOSES = ['analytics', 'personalization', 'ads'];
const TOLD = 'custom\nconsent\n\n\n';

// Nothing is left of the visitor but what they agreed to.
export const forget = (others = '') =>
  `visitor user session traits${others}`.split(' ').forEach((key) => set(key, ''));

let allowed;

// What follows from what the visitor agrees to by now.
const settle = (tell) => {
  const before = allowed;
  allowed = isAllowed();
  if (allowed) keep();
  else forget(' queue hold');
  if (allowed && before) return;
  // It is not told for how long they looked before they agreed to that.
  tell(FORGOTTEN);
  if (allowed) tell(STARTED);
};

// An answer in another tab is one here too: what waits is kept with what waits there, or forgotten with it. It comes
// before what that tab keeps.
export const follow = (tell) => {
  allowed = isAllowed();
  addEventListener('storage', ({ key }) => key === fullKey('consent') && setTimeout(() => settle(tell)));
};

// Keeps the answers that are given; what is not named stays as it was. A changed consent is told by an
// event of that name, or a visitor who takes one back and leaves would never be heard. Who does not
// want to be measured is forgotten at once, with all that was not delivered.
export const consent = (given, tell, record) => {
  const before = answers();
  const after = before.map((answer, purpose) => given[PURPOSES[purpose]] ?? answer);
  const words = after.join(' ');
  // A misspelt answer is not a yes, and taking it for a no would hide the mistake.
  if (!after.every((answer) => /^(granted|denied|unknown)$/.test(answer))) return leftOut('unknown choice');
  // What holds already is an answer all the same: where the visitor is, and what the site takes for one, may change.
  if (words === get('consent') || !PURPOSES.some((purpose) => given[purpose])) return;
  // The last that is heard of this visitor, or they would go on leaving for ad platforms.
  if (after[0] === 'denied' && before[2] === 'granted' && after[2] !== 'granted') send(TOLD, after);
  set('consent', words);
  settle(tell);
  if (allowed) record(TOLD);
};
