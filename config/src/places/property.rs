//! Every property that a feature may have.
//!
//! One table for each geometry holds what a property may be; the reader and the schema are made of it.

/// One property.
pub(crate) struct Property {
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    /// As JSON.
    pub(crate) example: &'static str,
    pub(crate) meaning: &'static str,
}

/// What a property may be.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// What the feature is; the words depend on its geometry.
    Kind,
    /// Text of at most so many characters.
    Text(usize),
    /// A list of words of the writer's own.
    Words,
    /// A list of words of [`DIETS`].
    Diets,
    /// A whole number from 1 to 4.
    Price,
    /// OpenStreetMap's opening hours.
    Hours,
    /// A number from 0 to 1.
    Share,
    Flag,
    /// A name of the configuration.
    Name,
    Position,
}

const KIND: Property = Property {
    name: "kind",
    form: Form::Kind,
    example: "\"restaurant\"",
    meaning: "What it is; required of points and polygons.",
};
const STEP_FREE: Property = Property {
    name: "step_free",
    form: Form::Flag,
    example: "true",
    meaning: "Whether it is entered, or walked, without steps. Default true.",
};

/// Every property of a place.
pub(crate) const PLACE: [Property; 12] = [
    KIND,
    Property {
        name: "name",
        form: Form::Text(60),
        example: "\"Noodle House\"",
        meaning: "Its name. A gate's is its name in the configuration, a venue's its name in the programme; toilets, water, first \
                  aid and information need none.",
    },
    Property {
        name: "id",
        form: Form::Text(80),
        example: "\"noodle-house\"",
        meaning: "What it is told by, unique in the file; the feature's own `id` is read as well. Without one it is made of \
                  kind, name and position.",
    },
    Property {
        name: "cuisine",
        form: Form::Words,
        example: "[\"noodles\", \"spicy\"]",
        meaning: "What it cooks, in words of your own; matched with what visitors like (`noodles`, `spicy`, `sweet`).",
    },
    Property {
        name: "diets",
        form: Form::Diets,
        example: "[\"vegetarian\"]",
        meaning: "Wishes about food that it meets. Whoever needs one of them is sent nowhere else.",
    },
    Property { name: "price", form: Form::Price, example: "2", meaning: "From 1 (cheap) to 4." },
    Property {
        name: "opening_hours",
        form: Form::Hours,
        example: "\"Mo-Fr 10:00-22:00; Sa,Su 09:00-23:00\"",
        meaning: "When it is open, by the venue's clocks, in OpenStreetMap's words. Without them, always.",
    },
    Property {
        name: "popularity",
        form: Form::Share,
        example: "0.8",
        meaning: "How popular it is, from 0 to 1, where somebody knows.",
    },
    STEP_FREE,
    Property {
        name: "camera",
        form: Form::Name,
        example: "\"food-court-1\"",
        meaning: "The camera of the configuration that sees who is there, for live popularity; it counts and names nobody.",
    },
    Property {
        name: "entrance",
        form: Form::Position,
        example: "[13.4, 52.5]",
        meaning: "Of a polygon: where it is entered. Without one, its middle.",
    },
    Property {
        name: "note",
        form: Form::Text(2000),
        example: "\"by the lake\"",
        meaning: "For whoever keeps the file; not read.",
    },
];

/// Every property of a path.
pub(crate) const PATH: [Property; 4] = [
    Property { name: "kind", form: Form::Kind, example: "\"path\"", meaning: "`path`; may be left out." },
    STEP_FREE,
    Property { name: "name", form: Form::Text(60), example: "\"Lake walk\"", meaning: "Its name; not read." },
    Property {
        name: "note",
        form: Form::Text(2000),
        example: "\"gravel\"",
        meaning: "For whoever keeps the file; not read.",
    },
];

/// Every property of what is only drawn.
pub(crate) const AREA: [Property; 3] = [
    KIND,
    Property { name: "name", form: Form::Text(60), example: "\"Mirror Lake\"", meaning: "What is written on it." },
    Property {
        name: "note",
        form: Form::Text(2000),
        example: "\"frozen\"",
        meaning: "For whoever keeps the file; not read.",
    },
];

/// Other words for ours, of OpenStreetMap and of people.
pub(crate) const SYNONYMS: [(&str, &str); 13] = [
    ("amenity", "kind"),
    ("type", "kind"),
    ("category", "kind"),
    ("title", "name"),
    ("label", "name"),
    ("open", "opening_hours"),
    ("opening", "opening_hours"),
    ("hours", "opening_hours"),
    ("diet", "diets"),
    ("wheelchair", "step_free"),
    ("accessible", "step_free"),
    ("cost", "price"),
    ("food", "cuisine"),
];

/// Other words for our kinds, apart by blanks; of a point and of what is drawn.
pub(crate) const KINDS: [(&str, &str); 16] = [
    ("stadium arena hall court theatre track sports_centre field", "venue"),
    ("lake pond river sea pool sea_water", "water"),
    ("drinking_water fountain tap", "water"),
    ("park garden grass lawn meadow wood forest", "green"),
    ("court field track ground", "pitch"),
    ("plaza place pedestrian parking", "square"),
    ("house tent roof", "building"),
    ("bar pub diner canteen food food_court", "restaurant"),
    ("coffee bakery tea ice_cream", "cafe"),
    ("fast_food stand stall snack food_truck", "kiosk"),
    ("bench seat seating lounge quiet_room", "rest"),
    ("wc toilet restroom loo", "toilets"),
    ("medical doctor clinic nurse", "first_aid"),
    ("merchandise store souvenir fan_shop", "shop"),
    ("bus_stop bus station stop train tram subway platform taxi", "transit"),
    ("info help desk information_desk", "information"),
];
