// What a site's developer writes, checked by the compiler: what is right, and what must be refused.
import footfall, { load, type LoadOptions, type Order } from 'footfall-tracker';

const options: LoadOptions = {
  collector: 'https://collect.shop.example',
  site: 'shop',
  with: ['forms', 'vitals', 'a-later-part'],
  beforeConsent: 'cookieless',
  phoneCode: 385,
};
load(options);

footfall('page');
footfall('step', 'checkout', 'shipping', { method: 'post' });
footfall('identify', 'customer-7', { email: 'ada@shop.example', plan: 'gold' });
footfall('group', 'company-1', { name: 'Acme' });
footfall('alias', 'customer-7', 'visitor-1');
footfall('reset');
footfall('consent', { analytics: 'granted', ads: 'denied' });
footfall('product_viewed', { product_id: '1', price: 18, currency: 'EUR' });
footfall('cart_viewed', { cart_id: 'c1', products: [{ sku: 'mug-01', quantity: 2 }] });
footfall('checkout_started', { value: 36, currency: 'EUR', products: [{ sku: 'mug-01' }] });
const order: Order = { order_id: 'o1', revenue: 36, shipping: 4, tax: 9, total: 49, currency: 'EUR', products: [] };
footfall('order_completed', order);
footfall('order_refunded', { order_id: 'o1', total: 49, currency: 'EUR' });
footfall('add_to_wishlist', { sku: 'mug-01' });

interface Seen {
  colour: string;
}
const seen: Seen = { colour: 'blue' };
footfall('colour_seen', seen);
const named: string = 'by a variable';
footfall(named);

// With the tag alone, there is the page's own.
window.footfall('page');
window.footfall = { debug: true, with: 'forms' };
const ready: boolean | undefined = window.footfall.ready;
console.log(ready);

declare module 'footfall-tracker' {
  interface FootfallCalls {
    wishlist_shared: [wishlist: { id: string; products: number }];
  }
}
footfall('wishlist_shared', { id: 'w1', products: 3 });

// @ts-expect-error: an order has an id
footfall('order_completed', { total: 49 });
// @ts-expect-error: a price is a number
footfall('product_added', { sku: 'mug-01', price: '18' });
// @ts-expect-error: a step is in a funnel
footfall('step', 'checkout');
// @ts-expect-error: a choice is one of three words
footfall('consent', { analytics: 'yes' });
// @ts-expect-error: somebody is identified
footfall('identify');
// @ts-expect-error: a declared event has its own properties
footfall('wishlist_shared', { id: 'w1' });
// @ts-expect-error: a site has a name
load({ collector: 'https://collect.shop.example' });
// @ts-expect-error: no such way
load({ collector: 'https://collect.shop.example', site: 'shop', beforeConsent: 'later' });
