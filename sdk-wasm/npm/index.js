// The tracker's tag for pages that are built with a bundler: the tracker itself comes from the collector,
// so that it is always the one that the collector speaks with. Nothing touches `window` at import time.

const inBrowser = () => typeof window === 'object' && typeof document === 'object';

// What is called before the tracker is there waits in `q`, which the tracker takes over.
const queue = () => {
  const waiting = function () {
    (waiting.q ||= []).push(arguments);
  };
  return waiting;
};

export const footfall = (...given) => {
  if (!inBrowser()) return;
  if (typeof window.footfall !== 'function') window.footfall = Object.assign(queue(), window.footfall);
  window.footfall(...given);
};

// Where the page demands a policy for what becomes a script's address (Trusted Types).
let policy;
const trusted = (address) => {
  try {
    policy ||= window.trustedTypes?.createPolicy('footfall', { createScriptURL: (address) => address });
  } catch {
    // The page allows no policy of this name; where it demands one, the script is refused below.
  }
  return policy ? policy.createScriptURL(address) : address;
};

export const load = ({ collector, site, scriptPath, nonce, ...options }) => {
  if (!inBrowser()) return;
  try {
    const origin = new URL(collector, location.href).origin;
    const address = new URL(scriptPath || `/s/${site}.js`, origin).href;
    if (Array.from(document.scripts).some((script) => script.src === address)) return;
    if (typeof window.footfall !== 'function') window.footfall = Object.assign(queue(), window.footfall);
    const script = document.createElement('script');
    script.async = true;
    if (nonce) script.nonce = nonce;
    for (const [name, value] of Object.entries(options)) {
      if (value === true) script.dataset[name] = '';
      else if (Array.isArray(value)) script.dataset[name] = value.join(' ');
      else if (value !== undefined && value !== null) script.dataset[name] = value;
    }
    script.src = trusted(address);
    document.head.append(script);
  } catch (error) {
    // A page must not break by how it is measured.
    console.log('footfall:', error);
  }
};

export default footfall;
