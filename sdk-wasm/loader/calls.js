// What the page calls by, `footfall(name, ...)`, in the words of the wire.

import { forget } from './consent.js';
import { get, isAllowed, leftOut, option, set } from './host.js';

// Traits that do not go as they are: of a person they are hashed, of a group only its name goes. What has 256 in its
// name is a hash already (`email_sha256`).
const PERSONAL = /^(?!.*256).*(mail|phone|mobile)|^(first|last)?_?name$/i;
const TEXT_MAX = 256;
// Of what an event says of itself: with all else in it, it fits a request that outlives the page.
const PROPERTIES_BYTES_MAX = 45_000;

const isObject = (value) => Object(value) === value;

// What was called: `name`, the two texts behind it and the object, each where it was given.
export const read = (given) => {
  const values = [...given];
  const texts = values.filter((value) => !isObject(value) && value != null);
  const [name, first, second] = texts.map((text) => `${text}`.replace(/\s/g, ' ').slice(0, TEXT_MAX));
  return { name, first, second, object: values.find(isObject) };
};

// The event's lines (see host.js), nothing where there is none; `hash` is given what must not leave the
// browser as it is.
export const lines = ({ name, first, second, object }, hash) => {
  const known = name === 'identify' || name === 'alias';
  const isGroup = name === 'group';
  if (name === 'reset') return forget();
  if (!name || ((known || isGroup) && !first) || (name === 'step' && !second)) return leftOut('incomplete');
  if (isGroup) object = { ...object, group_id: first };
  if (name === 'alias') object = { previous_id: second || get('user') };
  if (known && isAllowed()) set('user', first);

  // Who it is is told by hashes, behind the id, which is told at once.
  let personal;
  const json = JSON.stringify(object, function (key, value) {
    const isOfPerson = known || (isGroup && (this !== object || key !== 'name'));
    if (!isOfPerson || !PERSONAL.test(key) || option('rawTraits')) return value;
    personal = known;
  });
  if (new Blob([json]).size > PROPERTIES_BYTES_MAX) return leftOut('too large');
  if (personal && isAllowed()) hash(JSON.stringify([first, object]));
  const event =
    name === 'step' ? ['step', '', first, second]
    : name === 'identify' ? ['identify', '', '', '']
    : ['custom', name, '', ''];
  return [...event, json].join('\n');
};
