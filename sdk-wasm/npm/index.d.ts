import type { Footfall, FootfallOptions } from './footfall.js';

export type * from './footfall.js';

export interface LoadOptions extends FootfallOptions {
  /** Where browsers reach the collector: `https://collect.shop.example`. */
  collector: string;
  /** The site's name, as `footfall site add` was given it. */
  site: string;
  /** The site's own path of the script (`footfall site add --script-path`). */
  scriptPath?: string;
  /** The page's nonce, where its content security policy asks for one. */
  nonce?: string;
}

/**
 * Puts the tracker's script into the page, once; further calls with the same address do nothing. Does
 * nothing on a server, and never throws.
 */
export function load(options: LoadOptions): void;

/** The page's `footfall`: what is called before the tracker is there waits for it. Does nothing on a server. */
export const footfall: Footfall;

export default footfall;
