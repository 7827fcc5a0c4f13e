//! What outlives the page: `localStorage`, or memory where the browser refuses it.

/// Texts by key. Whoever reads must expect anything: the page and the visitor can write here too.
pub trait Storage {
    /// The text under `key`.
    fn get(&self, key: &str) -> Option<String>;
    /// Puts `value` under `key`.
    fn set(&mut self, key: &str, value: &str);
    /// Forgets `key`.
    fn remove(&mut self, key: &str);
}

/// The browser's `localStorage` under keys of our own: `footfall.SITE.KEY`.
///
/// A key that cannot be written (storage forbidden, or full) is kept in memory until the page ends;
/// the tracker then works, but does not know the visitor again.
#[derive(Debug)]
pub struct LocalStorage {
    prefix: String,
    local: Option<web_sys::Storage>,
    memory: Vec<(String, String)>,
}

impl LocalStorage {
    /// The storage of `site`. Never fails: merely asking for `localStorage` throws on some pages.
    #[must_use]
    pub fn open(window: &web_sys::Window, site: &str) -> Self {
        let local = window.local_storage().ok().flatten();
        Self { prefix: ["footfall.", site, "."].concat(), local, memory: Vec::new() }
    }

    /// The same where there is no `localStorage` at all.
    #[must_use]
    pub fn in_memory() -> Self {
        Self { prefix: String::new(), local: None, memory: Vec::new() }
    }

    fn full_key(&self, key: &str) -> String {
        [&self.prefix, key].concat()
    }
}

impl Storage for LocalStorage {
    fn get(&self, key: &str) -> Option<String> {
        let remembered = self.memory.iter().find(|(name, _)| name == key);
        match (remembered, &self.local) {
            (Some((_, value)), _) => Some(value.clone()),
            (None, Some(local)) => local.get_item(&self.full_key(key)).ok().flatten(),
            (None, None) => None,
        }
    }

    fn set(&mut self, key: &str, value: &str) {
        self.memory.retain(|(name, _)| name != key);
        let full_key = self.full_key(key);
        let stored =
            self.local.as_ref().is_some_and(|local| local.set_item(&full_key, value).is_ok());
        if !stored {
            self.memory.push((key.into(), value.into()));
        }
    }

    fn remove(&mut self, key: &str) {
        self.memory.retain(|(name, _)| name != key);
        let full_key = self.full_key(key);
        if let Some(local) = &self.local
            && local.remove_item(&full_key).is_err()
        {
            // Storage was taken away since `open`: there is nothing left to forget.
            self.local = None;
        }
    }
}
