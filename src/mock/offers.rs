//! What a server offers beside tools: its prompts, its resources and their templates, as ready lists and by name.

use super::convention::Convention;
use super::form::Form;
use super::offer::{Offer, OfferWords};
use super::places::{Places, filled, unreadable};
use crate::embedded::OfferText;
use bytes::Bytes;
use serde_json::{Map, Value as Plain};
use std::sync::{Arc, OnceLock};

/// What a server offers beside tools.
pub(super) struct Offers {
    pub(super) prompts: Shelf,
    pub(super) resources: Shelf,
    pub(super) templates: Shelf,
}

/// All of one kind, in the order of the catalogue.
pub(super) struct Shelf {
    pub(super) all: Vec<Arc<Offer>>,
    list: OnceLock<Bytes>,
}

impl Shelf {
    /// All of these.
    pub(super) fn of(all: Vec<Arc<Offer>>) -> Self {
        Self { all, list: OnceLock::new() }
    }

    /// The members of the list's result; there is one page.
    pub(super) fn list(&self, member: &str) -> &Bytes {
        self.list.get_or_init(|| {
            let entries: Vec<&[u8]> = self.all.iter().map(|offer| &offer.text[..]).collect();
            [format!("\"{member}\":[").as_bytes(), &entries.join(&b","[..]), b"]"].concat().into()
        })
    }

    /// The one of that name.
    pub(super) fn get(&self, name: &str) -> Option<&Arc<Offer>> {
        self.all.iter().find(|offer| &*offer.name == name)
    }
}

/// What becomes of each of the three shelves, which are prompts, resources and templates.
pub(super) fn each<T, U>(
    [prompts, resources, templates]: [T; 3],
    mut put: impl FnMut(T, Form) -> U,
) -> [U; 3] {
    [put(prompts, Form::Prompt), put(resources, Form::Resource), put(templates, Form::Resource)]
}

impl Offers {
    /// Those on these shelves, in order: prompts, resources, templates.
    pub(super) fn of([prompts, resources, templates]: [Vec<Arc<Offer>>; 3]) -> Self {
        Self { prompts: Shelf::of(prompts), resources: Shelf::of(resources), templates: Shelf::of(templates) }
    }

    /// Those of a shipped mock.
    pub(super) fn shipped(texts: [&'static [OfferText]; 3]) -> Self {
        Self::of(each(texts, |texts, form| {
            let offer =
                |text: &OfferText| Offer::new(text.name, form, text.entry, OfferWords::Text(text.words));
            texts.iter().map(offer).map(Arc::new).collect()
        }))
    }

    /// Whether there are any resources, or templates of some.
    pub(super) fn has_resources(&self) -> bool {
        !self.resources.all.is_empty() || !self.templates.all.is_empty()
    }

    /// The resource of that URI, or the template that makes it, with what stands in the template's places.
    pub(super) fn resource<'a>(&'a self, uri: &'a str) -> Option<(&'a Arc<Offer>, Places<'a>)> {
        let made =
            || self.templates.all.iter().find_map(|template| Some((template, filled(&template.name, uri)?)));
        self.resources.get(uri).map(|found| (found, Vec::new())).or_else(made)
    }

    /// A capability that the server would have to declare for what it offers, and does not.
    pub(super) fn undeclared(&self, capabilities: &Map<String, Plain>) -> Option<&'static str> {
        let completes = || self.all().any(|offer| offer.completes());
        let needed = [
            ("prompts", !self.prompts.all.is_empty()),
            ("resources", self.has_resources()),
            ("completions", completes()),
        ];
        let lacks = |(name, needed): &(&'static str, bool)| *needed && !capabilities.contains_key(*name);
        needed.iter().find(|one| lacks(one)).map(|(name, _)| *name)
    }

    /// All of them, shelf by shelf.
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Offer>> {
        [&self.prompts, &self.resources, &self.templates].into_iter().flat_map(|shelf| &shelf.all)
    }

    /// Everything that is wrong with their answers, by name.
    pub(super) fn mistakes(&self, convention: &Convention) -> Vec<(String, String)> {
        let wrong = |offer: &Arc<Offer>| Some((offer.name.to_string(), offer.script(convention).err()?));
        let templates = self
            .templates
            .all
            .iter()
            .filter_map(|template| Some((template.name.to_string(), unreadable(&template.name)?)));
        self.all().filter_map(wrong).chain(templates).collect()
    }
}
