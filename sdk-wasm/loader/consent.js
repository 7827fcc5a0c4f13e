// What the visitor agrees to: in one place, whether or not there is WebAssembly.

import { send } from './fallback.js';
import { answers, FORGOTTEN, isAllowed, keep, leftOut, set, VIEWED } from './host.js';

const PURPOSES = ['analytics', 'personalization', 'ads'];
const TOLD = 'custom\nconsent\n\n\n';

// Nothing is left of the visitor but what they agreed to.
export const forget = () => ['visitor', 'user', 'session', 'traits'].forEach((key) => set(key, ''));

// Keeps the answers that are given; what is not named stays as it was. A changed consent is told by an
// event of that name, or a visitor who takes one back and leaves would never be heard. Who does not
// want to be measured is forgotten at once, with all that was not delivered.
export const consent = (given, tell, record) => {
  const before = answers();
  const wasAllowed = isAllowed();
  const after = before.map((answer, purpose) => given[PURPOSES[purpose]] || answer);
  // A misspelt answer is not a yes, and taking it for a no would hide the mistake.
  if (!after.every((answer) => /^(granted|denied|unknown)$/.test(answer))) return leftOut('unknown choice');
  if (`${after}` === `${before}`) return;
  const denied = after[0] === 'denied';
  if (denied) {
    set('queue', '');
    // The last that is heard of this visitor, or they would go on leaving for ad platforms.
    if (before[2] === 'granted' && after[2] !== 'granted') send(TOLD, after);
    forget();
    set('queue', '');
  }
  set('consent', after.join(' '));
  if (denied) return tell(FORGOTTEN);
  keep();
  if (!wasAllowed) tell(VIEWED);
  record(TOLD);
};
