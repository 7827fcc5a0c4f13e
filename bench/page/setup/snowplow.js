import { newTracker, trackPageView } from '@snowplow/browser-tracker';

newTracker('sp', COLLECTOR, { appId: 'shop' });
trackPageView();
