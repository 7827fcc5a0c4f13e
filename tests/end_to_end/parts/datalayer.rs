//! A shop that tells Google Analytics what is bought, and has no code for us.

use serde_json::{Value, json};

use super::site::{
    Site, closed, come, is_well, leave, opened, properties, run, stored, tag, visitor,
};

/// The pushes of a visit, most of them as in
/// <https://developers.google.com/analytics/devguides/collection/ga4/ecommerce>.
const VISIT: &str = "
    gtag('event', 'view_item_list', { item_list_id: 'related_products', item_list_name: 'Related products', items: [tee, grey] });
    gtag('event', 'add_to_cart', { currency: 'USD', value: 72.05, items: [tee, grey] });
    dataLayer.push({ ecommerce: { currency: 'USD', value: 42.02, item_list_name: 'Related products', items: [grey] } });
    dataLayer.push({ event: 'remove_from_cart' });
    dataLayer.push({ ecommerce: { currency: 'USD', value: 1, items: [tee] } }, { ecommerce: null }, { event: 'view_cart' });
    gtag('event', 'view_cart', { currency: 'USD', value: 30.03, items: [tee] });
    dataLayer.push({ event: 'begin_checkout', ecommerce: { currency: 'USD', value: 30.03, coupon: 'SUMMER_FUN', items: [tee] } });
    gtag('event', 'add_payment_info', { currency: 'USD', value: 30.03, payment_type: 'Credit Card', items: [tee] });
    gtag('event', 'purchase', order);
    dataLayer.push({ ecommerce: null });
    window.length = dataLayer.push({ event: 'purchase', ecommerce: order });
    gtag('event', 'refund', { transaction_id: 'T_12345', currency: 'USD', value: 42.02, items: [grey] });
    gtag('event', 'search', { search_term: 'ada lovelace' });
    dataLayer.push({ event: 'constructor', ecommerce: order }, { event: 'purchase', eventModel: order }, ['event', 'purchase', order], null, 7);
    gtag('event', 'refund', { get items() { throw new Error('hostile'); } })";

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_tells_google_analytics_what_is_bought_is_measured_without_code() {
    let (stack, browser) = opened().await;
    let site = Site::bind().await;
    let tag = tag(&stack, "ga4", &[&site.origin], "data-with=datalayer");
    let url = site.serve(&[("/", include_str!("datalayer.html"))], &tag, "", None);
    let tab = visitor(&browser).await;
    come(&tab, &url, &["datalayer"]).await;
    run(&tab, VISIT).await;
    is_well(&tab).await;
    let [pushed, seen] = ["window.length", "seen"].map(|count| tab.evaluate(count));
    let (pushed, seen) = (pushed.await.unwrap(), seen.await.unwrap());
    assert!(pushed.as_u64() > Some(10) && seen.as_u64() > Some(10), "{pushed} {seen}");
    leave(&tab).await;
    let expected = [
        "page_view",
        "product_viewed",
        "product_list_viewed",
        "product_added",
        "product_added",
        "product_removed",
        "cart_viewed",
        "checkout_started",
        "payment_info_entered",
        "order_completed",
        "order_refunded",
    ];
    let events = stored(&stack, "ga4", &expected);
    let viewed = json!({
        "product_id": "SKU_12345", "name": "Stan and Friends Tee", "brand": "Google", "variant": "green",
        "category": "Apparel/Adult/Shirts/Crew/Short sleeve", "price": "10.01", "quantity": "3", "coupon": "SUMMER_FUN",
        "discount": "2.22", "position": "0", "value": "30.03", "currency": "USD",
    });
    assert_eq!(properties(&events, "product_viewed"), [viewed]);
    let worth = |name: &str| -> Vec<(Value, Value)> {
        let named = events.iter().filter(|event| event["name"] == name);
        named.map(|event| (event["value"].clone(), event["currency"].clone())).collect()
    };
    let usd = |value: f64| (json!(value), json!("USD"));
    // Two products of one millisecond: what each is worth, and not twice what both are.
    let mut added = worth("product_added");
    added.sort_by_key(|(value, _)| value.to_string());
    assert_eq!(added, [usd(30.03), usd(42.02)]);
    assert_eq!(worth("product_removed"), [usd(42.02)]);
    assert!(properties(&events, "product_removed")[0].get("category").is_none(), "a list's name");
    assert_eq!(worth("cart_viewed"), [usd(30.03)]);
    assert_eq!(worth("checkout_started"), [usd(30.03)]);
    assert_eq!(worth("order_completed"), [usd(72.05)]);
    assert_eq!(worth("order_refunded"), [usd(42.02)]);
    let order = properties(&events, "order_completed").remove(0);
    let told = ["order_id", "tax", "shipping", "coupon", "products_count"]
        .map(|name| order[name].as_str().unwrap());
    assert_eq!(told, ["T_12345", "3.6", "5.99", "SUMMER_SALE", "2"]);
    let products: Value = serde_json::from_str(order["products"].as_str().unwrap()).unwrap();
    assert_eq!(
        products[1],
        json!({"product_id": "SKU_12346", "name": "Google Grey Women's Tee", "price": 21.01, "quantity": 2})
    );
    assert_eq!(properties(&events, "order_refunded")[0]["order_id"], "T_12345");
    assert_eq!(properties(&events, "payment_info_entered")[0]["payment_method"], "Credit Card");
    assert_eq!(properties(&events, "product_list_viewed")[0]["list_id"], "related_products");
    tab.close().await.unwrap();
    closed(stack, browser).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_order_keeps_a_list_of_products_that_can_be_read() {
    let (stack, browser) = opened().await;
    let site = Site::bind().await;
    let tag = tag(&stack, "long", &[&site.origin], "data-with=datalayer data-data-layer=layer");
    let page = "<!doctype html><title>Shop</title><script>layer = []</script>HEAD";
    let url = site.serve(&[("/", page)], &tag, "", None);
    let tab = visitor(&browser).await;
    come(&tab, &url, &["datalayer"]).await;
    run(
        &tab,
        "const items = Array.from({ length: 40 }, (_, at) => ({ item_id: `čaj-${at}`, item_name: 'čaj '.repeat(9), price: 1, quantity: 1 })); \
         layer.push({ event: 'purchase', ecommerce: { transaction_id: 'L1', currency: 'EUR', value: 40, items } })",
    )
    .await;
    leave(&tab).await;
    let order =
        properties(&stored(&stack, "long", &["page_view", "order_completed"]), "order_completed")
            .remove(0);
    let products: Value = serde_json::from_str(order["products"].as_str().unwrap()).unwrap();
    assert!(products.as_array().unwrap().len() > 5, "{products}");
    assert_eq!(order["products_count"], "40");
    tab.close().await.unwrap();
    closed(stack, browser).await;
}
