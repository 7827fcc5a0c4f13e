// What a page may say to Footfall's tracker, and the options it may have: for a page with the tag, and
// for the package. Each collector serves this file as `/s/footfall.d.ts`.

export type Choice = 'granted' | 'denied' | 'unknown';

/** What the visitor agrees to; what is not named stays as it was. */
export interface Consent {
  /** To measure the visit. */
  analytics?: Choice;
  /** To change what the site shows. */
  personalization?: Choice;
  /** To tell ad platforms of the person, by hashes. */
  ads?: Choice;
}

/** What an event says of itself. Values are kept as texts, objects within objects by `outer.inner`. */
export type Properties = Record<string, any>;

/**
 * What is known of a person. E-mail, phone, first and last name leave the page as hashes, and a `name`, or an address and
 * a number by other names (`email_address`, `mobile`), not at all, unless `rawTraits` is set.
 */
export interface Traits {
  email?: string;
  /** In its international form, `+385 91 234 5678`, unless `phoneCode` says the country's code. */
  phone?: string;
  first_name?: string;
  firstName?: string;
  last_name?: string;
  lastName?: string;
  country?: string;
  zip?: string;
  postal_code?: string;
  postalCode?: string;
  [name: string]: unknown;
}

/** A product, with the field names of Segment's commerce specification, version 2. */
export interface Product {
  product_id?: string;
  sku?: string;
  name?: string;
  brand?: string;
  category?: string;
  variant?: string;
  /** Of one piece. */
  price?: number;
  quantity?: number;
  coupon?: string;
  position?: number;
  url?: string;
  image_url?: string;
  [name: string]: unknown;
}

/** What amounts are in, and what an event is worth. */
export interface Amount {
  value?: number;
  /** ISO 4217, for example `EUR`. */
  currency?: string;
}

export interface Cart extends Amount {
  cart_id?: string;
  products?: readonly Product[];
  coupon?: string;
  [name: string]: unknown;
}

export interface Checkout extends Cart {
  order_id?: string;
  checkout_id?: string;
  affiliation?: string;
  /** Without shipping and tax. */
  revenue?: number;
  shipping?: number;
  tax?: number;
  discount?: number;
  total?: number;
}

export interface Order extends Checkout {
  order_id: string;
}

/** What each call takes. A site may declare its own events here, by merging. */
export interface FootfallCalls {
  /** A view that the tracker cannot see by itself. */
  page: [];
  step: [funnel: string, step: string, properties?: Properties];
  identify: [userId: string | number, traits?: Traits];
  /** An `email` and a `phone` among the traits do not leave the page, unless `rawTraits` is set. */
  group: [groupId: string | number, traits?: Properties];
  alias: [userId: string | number, previousId?: string | number];
  /** The visitor is somebody else from now on. */
  reset: [];
  consent: [answers: Consent];
  product_viewed: [product: Product & Amount];
  product_added: [product: Product & Amount & { cart_id?: string }];
  product_removed: [product: Product & Amount & { cart_id?: string }];
  cart_viewed: [cart?: Cart];
  checkout_started: [checkout?: Checkout];
  order_completed: [order: Order];
  order_refunded: [order: Order];
}

export interface Footfall {
  <Name extends keyof FootfallCalls>(call: Name, ...given: FootfallCalls[Name]): void;
  /** An event of the site's own. */
  <Name extends string>(event: Name extends keyof FootfallCalls ? never : Name, properties?: Properties): void;
  /** Whether calls reach the tracker yet; before, they wait. */
  readonly ready?: boolean;
  /** Whether all that was seen is delivered. */
  readonly idle?: () => boolean;
}

/** A file of its own that only some sites want. */
export type Part =
  | 'forms'
  | 'vitals'
  | 'errors'
  | 'search'
  | 'datalayer'
  | 'tcf'
  | 'consent-mode'
  | 'domains'
  | (string & {});

/** The tag's attributes (`data-hash-routes`), `window.footfall = {...}` before the tag, or settings of the site. */
export interface FootfallOptions {
  /** The console tells each batch with its answer. */
  debug?: boolean;
  /** The origin that batches go to, where it is not the script's own. */
  collector?: string;
  /** The path there, in place of `/v1/events`. */
  eventsPath?: string;
  /** Optional parts: names with spaces between them, or a list. */
  with?: string | readonly Part[];
  /** Another `#...` in the address is another page. */
  hashRoutes?: boolean;
  /** A page's address is what its `<link rel="canonical">` says. */
  canonical?: boolean;
  /** What holds before an answer, of analytics, personalization and ads: `denied unknown denied`. */
  consent?: string;
  /** What happens while the answer on analytics is unknown; without it, events are sent. */
  beforeConsent?: 'send' | 'nothing' | 'cookieless' | 'wait';
  /** Nothing is kept in the browser, and no id is sent. */
  cookieless?: boolean;
  /**
   * Hosts of the same site for the part `domains`, with spaces between them. Nobody is taken along where the site's
   * own settings have none (`footfall site add --domain`).
   */
  domains?: string;
  /** The list that the parts `datalayer` and `consent-mode` read, where it is not `dataLayer`. */
  dataLayer?: string;
  /** Parameters of an address that hold what a visitor searched for: `q search`. */
  searchParameters?: string;
  /** Folders of the path behind which the term stands, `search` for `/search/red+mug`: for the part `search`. */
  searchFolders?: string;
  /** A session ends at midnight of the clock that is so many minutes behind UTC: `-120` is two hours ahead. */
  midnight?: number | string;
  /** Endings of files whose links are downloads: `pdf zip`. */
  downloads?: string;
  /** E-mail, phone and names leave the page as they are. */
  rawTraits?: boolean;
  /** The country's calling code by which national phone numbers are read. */
  phoneCode?: string | number;
}

declare global {
  const footfall: Footfall;
  interface Window {
    get footfall(): Footfall;
    /** Options, before the tag. */
    set footfall(value: Footfall | FootfallOptions);
  }
}
