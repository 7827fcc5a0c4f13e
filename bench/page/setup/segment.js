import { AnalyticsBrowser } from '@segment/analytics-next';

// Its settings name the sink as the place to send to (bench/src/page/server.rs).
const analytics = AnalyticsBrowser.load({ writeKey: 'bench', cdnURL: COLLECTOR });
analytics.page();
