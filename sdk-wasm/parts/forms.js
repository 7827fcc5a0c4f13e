// Forms: begun, sent, given up. Names of forms and fields leave the page, and nothing of what is in a field, not
// even how long it is. A field for a password or a payment card is told by that kind only, in place of its
// name. `data-footfall-ignore` on a form, or on anything around a field, leaves it out.
//
// `form_start`      the visitor changes a first field: form_id, form_name, form_action, field
// `form_submit`     the browser is about to send it, or the page takes that over: ..., fields, seconds
// `form_abandoned`  the page is left or hidden, and it was not sent: ..., fields, seconds, last_field
//
// A field that is only entered begins no form, because pages put the cursor into one by themselves; once one was
// changed it counts as the last, since people give up at the field that they do not fill in.
// Who comes back to a hidden page and sends the form after all has both events. A page that sends by
// `form.submit()`, or without a form's submit event, is not seen sending.

import { attribute, onHidden, quietly } from './guest.js';

const EVENTS_MAX = 50;
const TEXT_MAX = 100;
const FIELDS = 'input:not([type=hidden],[type=submit],[type=button],[type=reset],[type=image]),select,textarea';
const IGNORED = '[data-footfall-ignore]';

const named = (element, name) => attribute(element, name).slice(0, TEXT_MAX) || undefined;

// Where it is sent: the path, with the host where that is another. No query.
const action = (form) => {
  const url = new URL(attribute(form, 'action') || location.pathname, document.baseURI);
  return ((url.host === location.host ? '' : url.host) + url.pathname).slice(0, TEXT_MAX);
};

const fieldName = (field) => {
  const kind = attribute(field, 'autocomplete');
  if (/\bcc-/.test(kind)) return 'card';
  if (field.type === 'password' || /password|one-time-code/.test(kind)) return 'password';
  return named(field, 'name') || named(field, 'id');
};

export default (footfall, option, say) => {
  const started = new Map();
  let left = EVENTS_MAX;

  const tell = (name, form, properties) => {
    if (left-- <= 0) return;
    footfall(name, {
      form_id: named(form, 'id'),
      form_name: named(form, 'name'),
      form_action: action(form),
      ...properties,
    });
  };
  const seconds = (state) => Math.round((performance.now() - state.began) / 1000);

  const touched = (event) => {
    const field = event.composedPath()[0];
    const form = field.form;
    // What a script fills in is no visitor's doing.
    if (!event.isTrusted || !form || !field.matches(FIELDS) || field.closest(IGNORED)) return;
    let state = started.get(form);
    if (!state) {
      if (event.type === 'focusin') return;
      state = { began: performance.now(), fields: new Set() };
      started.set(form, state);
      tell('form_start', form, { field: fieldName(field) });
    }
    state.last = fieldName(field);
    if (event.type === 'focusin') return;
    state.fields.add(field);
    state.done = false;
  };
  for (const type of ['input', 'change', 'focusin']) document.addEventListener(type, quietly(say, touched), true);

  const submitted = (event) => {
    const form = event.target;
    if (Element.prototype.closest.call(form, IGNORED)) return;
    const state = started.get(form) || { began: performance.now(), fields: new Set() };
    started.set(form, state);
    state.done = true;
    tell('form_submit', form, { fields: state.fields.size, seconds: seconds(state) });
  };
  document.addEventListener('submit', quietly(say, submitted), true);

  onHidden(
    quietly(say, () => {
      for (const [form, state] of started) {
        if (state.done) continue;
        state.done = true;
        tell('form_abandoned', form, { fields: state.fields.size, seconds: seconds(state), last_field: state.last });
      }
    }),
  );
};
