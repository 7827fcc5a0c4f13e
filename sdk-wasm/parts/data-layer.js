// What a page tells Google's tags, as they are told: `dataLayer`, a list whose `push` is called.
// <https://developers.google.com/tag-platform/devguides/datalayer>

import { quietly } from './guest.js';

// Gives `take` what was pushed already, and what will be. The page's own `push`, and those that others lay over
// it, go on as before. A page that puts another list in its place (`dataLayer = [...]`) before it is loaded is
// followed there.
export const follow = (option, say, take) => {
  const name = option('dataLayer') || 'dataLayer';
  const each = quietly(say, take);
  let followed;
  const attach = () => {
    const layer = (window[name] ||= []);
    if (layer === followed || !Array.isArray(layer)) return;
    followed = layer;
    layer.forEach(each);
    const push = layer.push;
    layer.push = function (...entries) {
      const result = push.apply(this, entries);
      entries.forEach(each);
      return result;
    };
  };
  quietly(say, attach)();
  addEventListener('load', quietly(say, attach));
};

// `gtag('event', 'purchase', {...})` pushes its `arguments`; Google's tags take nothing else for a command.
export const command = (entry) =>
  Object.prototype.toString.call(entry) === '[object Arguments]' ? Array.from(entry) : [];
