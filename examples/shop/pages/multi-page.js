// The shop as pages: every click loads one.
import { arrive } from '/shop.js';

arrive((url) => location.assign(url));
