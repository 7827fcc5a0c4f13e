//! What the shop sells: one table, `products.json`, and a picture for each.

use serde::Deserialize;

/// One thing to buy.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Product {
    pub(crate) slug: String,
    pub(crate) sku: String,
    pub(crate) name: String,
    pub(crate) category: String,
    pub(crate) kind: String,
    pub(crate) price_cents: u32,
    pub(crate) blurb: String,
    pub(crate) facts: Vec<String>,
}

/// A shelf of the shop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Category {
    pub(crate) slug: &'static str,
    pub(crate) name: &'static str,
    pub(crate) blurb: &'static str,
}

pub(crate) const CATEGORIES: [Category; 3] = [
    Category {
        slug: "coffee",
        name: "Coffee",
        blurb: "What it takes from the bean to the cup, and nothing that needs an app.",
    },
    Category {
        slug: "tea",
        name: "Tea",
        blurb: "Leaves from this spring, and the pots and whisks to do them justice.",
    },
    Category {
        slug: "tableware",
        name: "Tableware",
        blurb: "Clay, oak and linen that look better after a year of breakfasts.",
    },
];

macro_rules! pictures {
    ($($slug:literal),*) => {
        [$(($slug, include_str!(concat!("../pages/pictures/", $slug, ".svg")))),*]
    };
}

const PICTURES: [(&str, &str); 9] = pictures![
    "cone-dripper",
    "hand-grinder",
    "house-beans",
    "iron-teapot",
    "first-flush",
    "matcha-whisk",
    "stoneware-mug",
    "oak-board",
    "linen-napkins"
];

/// Reads the table.
pub(crate) fn all() -> Result<Vec<Product>, serde_json::Error> {
    serde_json::from_str(include_str!("../products.json"))
}

impl Product {
    /// The price in euros, as `24.00`.
    pub(crate) fn price(&self) -> String {
        format!("{}.{:02}", self.price_cents / 100, self.price_cents % 100)
    }

    /// The product's picture, an SVG.
    pub(crate) fn picture(&self) -> &'static str {
        PICTURES.iter().find(|(slug, _)| *slug == self.slug).map_or("", |(_, picture)| picture)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_product_has_a_picture_and_stands_on_a_shelf() {
        let products = all().unwrap();
        assert_eq!(products.len(), PICTURES.len());
        for product in products {
            assert!(product.picture().contains("<svg"), "{}", product.slug);
            assert!(CATEGORIES.iter().any(|category| category.name == product.category));
        }
    }

    #[test]
    fn a_price_has_two_places() {
        let product = Product { price_cents: 1605, ..all().unwrap().remove(0) };
        assert_eq!(product.price(), "16.05");
    }
}
