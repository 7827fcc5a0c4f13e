// A page with the tag alone and the collector's own `footfall.d.ts` beside it.
footfall('step', 'checkout', 'shipping');
footfall('order_completed', { order_id: 'o1', products: [{ sku: 'mug-01', price: 18, quantity: 1 }] });
window.footfall = { collector: 'https://collect.shop.example' };
// @ts-expect-error: an order has an id
footfall('order_completed', {});
