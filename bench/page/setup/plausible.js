import { init } from '@plausible-analytics/tracker';

// The bench's page is on the machine itself, where it would otherwise not speak.
init({ domain: 'shop.example', endpoint: `${COLLECTOR}/api/event`, captureOnLocalhost: true });
