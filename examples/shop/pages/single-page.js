// The shop as a single page: the first page is loaded, every other one is put in its place and
// given its address by `history.pushState`.
import { arrive } from '/shop.js';

// Only the last one asked for is shown.
let asked = 0;

const show = async (url, enter) => {
  const number = ++asked;
  const response = await fetch(url);
  const next = new DOMParser().parseFromString(await response.text(), 'text/html');
  if (number !== asked) return;
  enter();
  document.title = next.title;
  const category = 'meta[name="footfall:category"]';
  document.querySelector(category).content = next.querySelector(category).content;
  document.querySelector('main').replaceWith(next.querySelector('main'));
  scrollTo(0, 0);
  arrive(go);
};

const go = (url) => show(url, () => history.pushState(null, '', url));

document.addEventListener('click', (event) => {
  const link = event.target.closest('a');
  const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey;
  if (!link || !plain || link.origin !== location.origin || 'reload' in link.dataset) return;
  event.preventDefault();
  go(link.pathname);
});

addEventListener('popstate', () => show(location.pathname, () => {}));

arrive(go);
