// How the parts behave in other people's pages: what all of them need.

// A listener that keeps its mistakes to itself.
export const quietly =
  (say, work) =>
  (...given) => {
    try {
      return work(...given);
    } catch (error) {
      say('left out:', error);
    }
  };

// The page is no longer seen: the last moment that every browser tells. A tab that is looked at again is hidden
// again, and one that closes tells it twice, so the work must know what it has done. It comes before the tracker
// gives the browser what it holds (`capture`), and so goes with that.
export const onHidden = (work) => {
  addEventListener('visibilitychange', () => document.visibilityState === 'hidden' && work(), true);
  addEventListener('pagehide', () => work(), true);
};

// The page has changed its own address: by the Navigation API, or where a browser has none, by what every
// router calls (<https://developer.mozilla.org/docs/Web/API/Navigation_API>). An element with that id has the name too.
export const onNavigated = (work) => {
  if (window.navigation?.currentEntry) return navigation.addEventListener('currententrychange', () => work());
  for (const method of ['pushState', 'replaceState']) {
    const original = history[method];
    history[method] = function () {
      const result = original.apply(this, arguments);
      work();
      return result;
    };
  }
  addEventListener('popstate', () => work());
};

// What must not leave the page though it stands in a text: e-mail addresses, and digits as of a phone or a card.
export const masked = (text) =>
  text.replace(/[^\s@<>"'(),;:=/?&]+@[^\s@<>"'(),;:=/?&]+\.\w+/g, '[email]').replace(/\+?\d(?:[ ()./-]{0,2}\d){6,}/g, '[number]');

// An attribute as it is written. A form's field named `id`, `action` or `getAttribute` lies over the form's own.
export const attribute = (element, name) => Element.prototype.getAttribute.call(element, name) || '';

// What the tracker keeps in the browser's storage, by name. Where nothing may be kept, nothing is there.
const fullKey = (footfall, key) => `footfall.${footfall.site}.${key}`;
export const kept = (footfall, key) => {
  try {
    return localStorage.getItem(fullKey(footfall, key)) || '';
  } catch {
    return '';
  }
};
export const keep = (footfall, key, value) =>
  value ? localStorage.setItem(fullKey(footfall, key), value) : localStorage.removeItem(fullKey(footfall, key));
