// What each page does once it is shown. `go` takes the visitor to another page: by loading it, or
// in the single-page shop by history.
import * as cart from '/cart.js';

const CHECKOUT = 'copper-clay.checkout';
const ORDER = 'copper-clay.order';

const byId = (id) => document.getElementById(id);
const base = () => (location.pathname.startsWith('/spa/') ? '/spa' : '');
const recall = (key) => JSON.parse(sessionStorage.getItem(key) || 'null') || {};
const keep = (key, value) => sessionStorage.setItem(key, JSON.stringify(value));

const onSubmit = (id, work) =>
  byId(id).addEventListener('submit', (event) => {
    event.preventDefault();
    work(new FormData(event.target));
  });

const product = (main) => {
  const { sku, name, category, currency } = main.dataset;
  const price = Number(main.dataset.price);
  footfall('product_view', { sku, name, category, price, currency });
  onSubmit('add', (form) => {
    const quantity = Number(form.get('quantity'));
    cart.add({ sku, name, category, price, quantity });
    footfall('add_to_cart', { sku, name, category, price, currency, quantity });
    byId('added').hidden = false;
  });
};

const showCart = () => {
  const list = byId('lines');
  list.replaceChildren(
    ...cart.lines().map((line) => {
      const item = document.createElement('li');
      const name = document.createElement('span');
      const each = document.createElement('small');
      const price = document.createElement('span');
      const remove = document.createElement('button');
      name.textContent = line.name;
      each.textContent = `${line.quantity} × ${cart.money(line.price)}`;
      name.append(each);
      price.className = 'price';
      price.textContent = cart.money(line.price * line.quantity);
      remove.textContent = 'Remove';
      remove.ariaLabel = `Remove ${line.name}`;
      remove.addEventListener('click', () => {
        cart.remove(line.sku);
        footfall('remove_from_cart', { sku: line.sku });
        showCart();
      });
      item.append(name, price, remove);
      return item;
    }),
  );
  const empty = cart.count() === 0;
  byId('empty').hidden = !empty;
  byId('sum').hidden = empty;
  byId('total').textContent = cart.money(cart.total());
};

// A customer's number, as a shop's own database would give one.
const customer = () => {
  const KEY = 'copper-clay.customer';
  if (!localStorage.getItem(KEY)) {
    const [number] = crypto.getRandomValues(new Uint32Array(1));
    localStorage.setItem(KEY, `customer-${number}`);
  }
  return localStorage.getItem(KEY);
};

const details = (go) => {
  footfall('step', 'checkout', 'details');
  onSubmit('details', (form) => {
    const { first_name, last_name, email, ads } = Object.fromEntries(form);
    footfall('consent', { ads: ads ? 'granted' : 'denied' });
    footfall('identify', customer(), { email, first_name, last_name });
    keep(CHECKOUT, { first_name });
    go(`${base()}/checkout/shipping`);
  });
};

const shipping = (go) => {
  footfall('step', 'checkout', 'shipping');
  onSubmit('shipping', (form) => {
    keep(CHECKOUT, { ...recall(CHECKOUT), delivery: form.get('delivery') });
    go(`${base()}/checkout/payment`);
  });
};

const payment = (go) => {
  footfall('step', 'checkout', 'payment');
  const { delivery, first_name } = recall(CHECKOUT);
  const value = cart.total() + (delivery === 'express' ? 6 : 0);
  byId('total').textContent = cart.money(value);
  onSubmit('payment', (form) => {
    const [number] = crypto.getRandomValues(new Uint16Array(1));
    const order = `R-${String(number).padStart(5, '0')}`;
    keep(ORDER, { order, first_name, value, items: cart.count(), payment: form.get('method') });
    cart.clear();
    go(`${base()}/thanks`);
  });
};

const thanks = () => {
  const { told, first_name, ...bought } = recall(ORDER);
  byId('order').textContent = bought.order || '';
  byId('buyer').textContent = first_name ? `, ${first_name}` : '';
  // A reload of this page is not another purchase.
  if (bought.order && !told) {
    footfall('purchase', { ...bought, currency: 'EUR' });
    keep(ORDER, { ...bought, first_name, told: true });
  }
};

const pages = { product, cart: showCart, details, shipping, payment, thanks };
const needsCart = ['details', 'shipping', 'payment'];

export const arrive = (go) => {
  const main = document.querySelector('main');
  const { page } = main.dataset;
  cart.showCount();
  if (needsCart.includes(page) && cart.count() === 0) {
    go(`${base()}/cart`);
    return;
  }
  if (page === 'product') product(main);
  else pages[page]?.(go);
  main.dataset.arrived = '';
};
