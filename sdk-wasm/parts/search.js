// The site's own search: what visitors look for, by the page's address.
//
// `site_search`   term, results
// A page has a term where its address has one of the parameters `searchParameters` (words, the first that is there
// counts; else the ones below), or has it in its path behind one of `searchFolders`: with `search`, that of
// `/en/search/red+mug` is `red mug`. It is told once it has stood for a second, so that a page that searches with every
// letter tells the word and not its beginnings, and once until another comes: the second page of results is the same search.
// The term is in small letters, at most 100 of them, without what looks like an e-mail address or a phone's or card's
// number. How many results there are is told where the page says so: `<meta name="footfall:results" content="12">`.

import { masked, onHidden, onNavigated, quietly } from './guest.js';

const PARAMETERS = 'q s search query keyword keywords';
const SETTLE_MILLIS = 1000;
const TERM_MAX = 100;
const READ_MAX = 1000;
const EVENTS_MAX = 50;

export default (footfall, option, say) => {
  const words = (text) => `${text || ''}`.match(/[^\s,]+/g) || [];
  const parameters = words(option('searchParameters') || PARAMETERS);
  const folders = words(option('searchFolders'));
  let told = '';
  let timer;
  let left = EVENTS_MAX;

  const behindFolder = () => {
    const segments = location.pathname.split('/');
    const at = segments.findIndex((segment) => folders.includes(segment));
    // Read as a parameter, which what is badly written does no harm.
    return (at > 0 && new URLSearchParams(`q=${(segments[at + 1] || '').replace(/&/g, '%26')}`).get('q')) || '';
  };

  const term = () => {
    const given = new URLSearchParams(location.search);
    const parameter = parameters.find((name) => given.get(name));
    const text = (parameter ? given.get(parameter) : behindFolder()).slice(0, READ_MAX);
    return masked(text).toLowerCase().replace(/\s+/g, ' ').trim().slice(0, TERM_MAX);
  };

  const tell = () => {
    clearTimeout(timer);
    const now = term();
    if (now === told) return;
    told = now;
    if (!now || left-- <= 0) return;
    const meta = document.querySelector('meta[name="footfall:results"]');
    const results = parseInt(meta && meta.content);
    footfall('site_search', { term: now, results: results >= 0 ? results : undefined });
  };

  const changed = () => {
    clearTimeout(timer);
    if (term() !== told) timer = setTimeout(quietly(say, tell), SETTLE_MILLIS);
  };
  onNavigated(quietly(say, changed));
  onHidden(quietly(say, tell));
  changed();
};
