// What the browser tells of the visitor without the site's help: other addresses, signs of life, clicks.

import { ACTIVE, HIDDEN, NAVIGATED, option, release, VIEWED } from './host.js';

// Signs of life are told this often.
const ACTIVE_MILLIS = 1000;
const DOWNLOADS = 'pdf xls xlsx doc docx ppt pptx csv txt rtf zip rar 7z gz tgz exe msi dmg pkg apk iso epub mp3 mp4 mov avi wav';

// The address without the place in the page, unless that is the page.
const address = () => (option('hashRoutes') ? location.href : location.href.split('#')[0]);

// How much of the page has been seen, in percent.
const depth = () =>
  Math.min(100, Math.round(((scrollY + innerHeight) / document.documentElement?.scrollHeight) * 100)) | 0;

// A `data-footfall-*` value is what it looks like. Digits behind a zero are a name, and so are more than a number holds.
const typed = (text) => (/^(true|false|-?(0|[1-9]\d{0,14})(\.\d+)?)$/.test(text) ? JSON.parse(text) : text);

// What an element says of itself: an event, or a step of a funnel, with the rest as properties.
const declared = ({ dataset }, call) => {
  const properties = {};
  const { footfallEvent, footfallStep } = dataset;
  for (const key in dataset) {
    const [, name] = /^footfall(?!Event$|Step$)(.+)/.exec(key) || [];
    if (name) properties[name.replace(/\B[A-Z]/g, '_$&').toLowerCase()] = typed(dataset[key]);
  }
  if (footfallEvent) call([footfallEvent, properties]);
  if (footfallStep) call(['step', ...footfallStep.split('/'), properties]);
};

const isDownload = (path) =>
  (option('downloads') || DOWNLOADS).split(' ').includes(path.toLowerCase().split('.').slice(1).pop());

const clicked = (event, call) => {
  if (event.button > 1) return;
  // An element in another's shadow has those around it too.
  const nearest = (selector) => event.composedPath().find((element) => element.matches?.(selector));
  const marked = nearest('[data-footfall-event],[data-footfall-step]');
  // A form is used when it is sent.
  if (marked && (event.type === 'submit') === (marked.localName === 'form')) declared(marked, call);
  const link = event.type !== 'submit' && nearest('a[href]');
  if (!link) return;
  // A drawing's link is no text.
  const { protocol, host, origin, pathname } = new URL(link.getAttribute('href'), document.baseURI);
  const name =
    protocol === 'mailto:' ? 'mail_link'
    : protocol === 'tel:' ? 'phone_link'
    : link.hasAttribute('download') || isDownload(pathname) ? 'file_download'
    : /^http/.test(protocol) && host !== location.host && 'outbound_link';
  // Neither whose address it is, nor what else stands in it.
  if (name) call([name, host ? { url: origin + pathname } : {}]);
};

export const watch = (tell, call, late) => {
  let last = address();
  // How far down they came since it was told.
  let deepest = 0;
  const look = () => (deepest = Math.max(deepest, depth()));
  const seen = (signal) => {
    tell(signal, deepest);
    deepest = 0;
  };
  const navigated = () => {
    if (address() !== last) {
      last = address();
      // What is in the page by now may be the next one already.
      seen(NAVIGATED);
    }
  };
  // An element with that id has the name too.
  if (window.navigation?.currentEntry) navigation.addEventListener('currententrychange', navigated);
  else {
    for (const method of ['pushState', 'replaceState']) {
      const original = history[method];
      history[method] = function () {
        const result = original.apply(this, arguments);
        navigated();
        return result;
      };
    }
    addEventListener('popstate', navigated);
  }
  addEventListener('pageshow', (event) => event.persisted && tell(VIEWED));

  let told = 0;
  const active = () => {
    if (Math.abs(Date.now() - told) > ACTIVE_MILLIS) {
      told = Date.now();
      look();
      seen(ACTIVE);
    }
  };
  // Nothing else moves the page, and to ask where it is may cost its layout.
  addEventListener('scroll', look, { passive: true });
  // Scrolled is the page: what moves within it may do so by itself, and is turned by the wheel else.
  for (const type of ['scroll', 'wheel', 'pointerdown', 'pointermove', 'keydown'])
    addEventListener(type, active, { capture: type !== 'scroll', passive: true });
  const listen = (event) => {
    try {
      clicked(event, call);
    } catch {}
  };
  for (const type of ['click', 'auxclick', 'submit']) addEventListener(type, listen, true);

  const hide = () => {
    late();
    release();
    look();
    seen(HIDDEN);
  };
  addEventListener('pagehide', hide);
  document.addEventListener('visibilitychange', () => (document.hidden ? hide() : seen(ACTIVE)));
};
