// A page that is built with a bundler; SITE and COLLECTOR are put in when it is built.
import footfall, { load } from 'footfall-tracker';

footfall('early', { price: 9.5 });
load({ collector: COLLECTOR, site: SITE, debug: true });
// As when two components load it.
load({ collector: COLLECTOR, site: SITE, debug: true });
footfall('product_added', { sku: 'mug-01', price: 18, currency: 'EUR' });
console.log('loaded');
