// A shop that tells Google Analytics 4 what is bought is measured with no code of its own: its `dataLayer` is read, both
// `gtag('event', 'purchase', {...})` and `dataLayer.push({ event: 'purchase', ecommerce: {...} })`.
// <https://developers.google.com/analytics/devguides/collection/ga4/ecommerce>
//
// The events and their fields have the names of Segment's ecommerce spec
// (<https://segment.com/docs/connections/spec/ecommerce/v2/>); products are told one event each, the rest with a list
// `products`. `transaction_id` is `order_id`, `item_id` is `product_id`, the five categories are one with slashes.
// An order or a refund is told once a page, though it is pushed in both forms.
// Not read: the products of Universal Analytics, promotions, searches (the part `search` does that), and pushes
// without `ecommerce`. `ecommerce` that is pushed alone belongs to the next event, unless null comes between.

import { command, follow } from './data-layer.js';

// The event, and whether it is about one product.
const EVENTS = {
  __proto__: null,
  view_item: ['product_viewed', true],
  select_item: ['product_clicked', true],
  add_to_cart: ['product_added', true],
  remove_from_cart: ['product_removed', true],
  add_to_wishlist: ['product_added_to_wishlist', true],
  view_item_list: ['product_list_viewed'],
  view_cart: ['cart_viewed'],
  begin_checkout: ['checkout_started'],
  add_shipping_info: ['checkout_step_completed'],
  add_payment_info: ['payment_info_entered'],
  purchase: ['order_completed'],
  refund: ['order_refunded'],
};

const FIELDS = {
  transaction_id: 'order_id',
  affiliation: 'affiliation',
  value: 'value',
  currency: 'currency',
  tax: 'tax',
  shipping: 'shipping',
  coupon: 'coupon',
  item_list_id: 'list_id',
  item_list_name: 'category',
  shipping_tier: 'shipping_method',
  payment_type: 'payment_method',
};

const ITEM_FIELDS = {
  item_id: 'product_id',
  item_name: 'name',
  item_brand: 'brand',
  item_variant: 'variant',
  price: 'price',
  quantity: 'quantity',
  coupon: 'coupon',
  discount: 'discount',
  index: 'position',
};

// Of one call, so that a list of a thousand products is not a thousand events.
const PRODUCTS_MAX = 100;
// What the collector keeps of one property that is a list (PROPERTY_LIST_BYTES_MAX): one that is cut could not be read.
const LIST_BYTES_MAX = 8192;

const renamed = (fields, from) => {
  const to = {};
  for (const name in fields) {
    const value = from[name];
    if (value !== '' && (typeof value === 'string' || typeof value === 'number')) to[fields[name]] = value;
  }
  return to;
};

const product = (item) => {
  const product = renamed(ITEM_FIELDS, item);
  const levels = ['', 2, 3, 4, 5].map((level) => item[`item_category${level}`]).filter(Boolean);
  if (levels.length) product.category = levels.join('/');
  return product;
};

const within = (products) => {
  products = products.slice();
  while (new TextEncoder().encode(JSON.stringify(products)).length > LIST_BYTES_MAX) products.pop();
  return products;
};

export default (footfall, option, say) => {
  const orders = new Set();
  let pushedAlone;

  const tell = (name, given) => {
    const [event, ofOne] = EVENTS[name] || [];
    if (!event || !given) return;
    const fields = renamed(FIELDS, given);
    const items = Array.isArray(given.items) ? given.items.filter((item) => item && typeof item === 'object') : [];
    const products = items.slice(0, PRODUCTS_MAX).map(product);
    if (fields.order_id) {
      const order = `${event} ${fields.order_id}`;
      if (orders.has(order)) return say('left out: told already', order);
      orders.add(order);
    }
    if (!ofOne) {
      const listed = within(products);
      return footfall(event, { ...fields, products: listed, products_count: items.length || undefined });
    }
    // A list's name says nothing of what kind of product it lists.
    delete fields.category;
    // What all are worth together is the worth of one only where there is one.
    for (const product of products) {
      const { price, quantity = 1 } = product;
      const value = products.length > 1 ? (price >= 0 ? price * quantity : undefined) : fields.value;
      footfall(event, { ...fields, ...product, value });
    }
  };

  follow(option, say, (entry) => {
    const [word, name, given] = command(entry);
    if (word === 'event') return tell(name, given);
    if (word || !entry || typeof entry !== 'object') return;
    const { event, ecommerce } = entry;
    if (!event) {
      if (ecommerce !== undefined) pushedAlone = ecommerce;
      return;
    }
    if (!EVENTS[event]) return;
    tell(event, ecommerce || pushedAlone);
    pushedAlone = undefined;
  });
};
