// The cart: lines of {sku, name, category, price, quantity}, kept by the browser.

const KEY = 'copper-clay.cart';

export const lines = () => {
  try {
    return JSON.parse(localStorage.getItem(KEY)) || [];
  } catch {
    return [];
  }
};

const keep = (kept) => {
  localStorage.setItem(KEY, JSON.stringify(kept));
  showCount();
};

export const add = (line) => {
  const kept = lines();
  const same = kept.find(({ sku }) => sku === line.sku);
  if (same) same.quantity += line.quantity;
  else kept.push(line);
  keep(kept);
};

export const remove = (sku) => keep(lines().filter((line) => line.sku !== sku));
export const clear = () => keep([]);
export const count = () => lines().reduce((sum, line) => sum + line.quantity, 0);
export const total = () => lines().reduce((sum, line) => sum + line.price * line.quantity, 0);
export const money = (amount) => `€${amount.toFixed(2)}`;

export const showCount = () => {
  document.getElementById('cart-count').textContent = count();
};
