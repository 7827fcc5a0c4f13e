import posthog from 'posthog-js';

// A headless browser is a bot to it, and would not be measured.
posthog.init('bench', { api_host: COLLECTOR, defaults: '2026-08-30', opt_out_useragent_filter: true });
