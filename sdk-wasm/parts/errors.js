// Script errors and unhandled rejections: counted, and grouped by what they say and where they come from.
//
// `error`: a group's first at once, then how many more there were whenever the page is hidden.
//   group    the same for the same mistake: of the message without numbers, ids and quoted texts, and the place
//   message  without queries of addresses, e-mail addresses, long numbers, and quoted texts that are no names
//   source   the script's address without its query
//   line, column
//   kind     error, or rejection
//   count    of this event: their sum is how many there were
// A browser says `Script error.` and nothing else of a script of another origin that the page loads without
// `crossorigin` (<https://html.spec.whatwg.org/#muted-errors>): all of these are one group, without a source.
// Errors before this part has come, of files that do not load, and of the browser's extensions are not seen.
// The groups after the tenth are counted together, as `other`.

import { masked, onHidden, quietly } from './guest.js';
import { hash } from './hash.js';

const GROUPS_MAX = 10;
const EVENTS_MAX = 50;
const MESSAGE_MAX = 200;
// What is read of a text from outside, so that no pattern works for long.
const READ_MAX = 1000;

const QUOTED = /"[^"]*"|'[^']*'|`[^`]*`/g;
// A name in a program: what `reading 'price'` says. Of a text that is no JSON the beginning is quoted.
const NAME = /^.[\w$.#-]{1,40}.$/;

const withoutQuery = (text) => text.replace(/(\w:\/\/[^\s?#"'()]*)[?#][^\s"'()]*/g, '$1');

const readable = (message) => {
  const ofText = /json/i.test(message);
  const quoted = (text) => (!ofText && NAME.test(text) ? text : '"…"');
  return masked(withoutQuery(message).replace(QUOTED, quoted)).replace(/\d{6,}/g, '[number]').slice(0, MESSAGE_MAX);
};

// A stack's first frame, as Chromium (`at f (URL:1:2)`), Firefox and WebKit (`f@URL:1:2`) write it.
const FRAME = /((?:https?|file|blob|[\w-]+-extension):[^\s()@]+?):(\d+):(\d+)/;

export default (footfall, option, say) => {
  const groups = new Map();
  let left = EVENTS_MAX;

  const tell = (state) => {
    const { untold: count } = state;
    if (!count || left-- <= 0) return;
    state.untold = 0;
    footfall('error', { ...state.said, count });
  };

  const seen = (kind, message, source, line, column) => {
    source = withoutQuery(`${source || ''}`.slice(0, READ_MAX));
    if (/^[\w-]+-extension:/.test(source)) return;
    message = `${message}`.slice(0, READ_MAX);
    const same = message.replace(QUOTED, '').replace(/[\da-f]*\d[\da-f]*/gi, '');
    let group = hash([same, source, line, column].join('\n'));
    let said = { group, kind, message: readable(message), source: source || undefined, line, column };
    if (!groups.has(group) && groups.size >= GROUPS_MAX) {
      group = 'other';
      said = { group };
    }
    const state = groups.get(group) || { said, untold: 0 };
    state.untold++;
    if (groups.has(group)) return;
    groups.set(group, state);
    tell(state);
  };

  const failed = ({ message, filename, lineno, colno }) =>
    seen('error', message, filename, lineno || undefined, colno || undefined);
  addEventListener('error', quietly(say, failed));

  const rejected = ({ reason }) => {
    const isError = reason && typeof reason === 'object' && 'message' in reason;
    const [, source, line, column] = (isError && FRAME.exec(`${reason.stack}`.slice(0, READ_MAX))) || [];
    // What else a page rejects with may hold anything.
    const other = typeof reason === 'string' ? reason : typeof reason;
    seen('rejection', isError ? `${reason.name}: ${reason.message}` : other, source, line && +line, column && +column);
  };
  addEventListener('unhandledrejection', quietly(say, rejected));

  onHidden(quietly(say, () => groups.forEach(tell)));
};
