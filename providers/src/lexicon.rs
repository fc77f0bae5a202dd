//! The words the house knows: categories, styles, moods, energy, and what can be drawn.
//!
//! One table serves the prompt reader, the embedder and the studio, so that a word which finds a
//! template also finds a drawing.

use std::{collections::HashMap, sync::LazyLock};

use crate::words::stem;

/// The look of a category when the prompt does not say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Category {
    pub name: &'static str,
    pub style: &'static str,
    pub mood: &'static str,
    pub energy: u8,
    /// Names of motifs, most typical first.
    pub motifs: &'static [&'static str],
    words: &'static str,
}

const fn category(
    name: &'static str,
    (style, mood, energy): (&'static str, &'static str, u8),
    motifs: &'static [&'static str],
    words: &'static str,
) -> Category {
    Category { name, style, mood, energy, motifs, words }
}

pub(crate) const CATEGORIES: &[Category] = &[
    category(
        "gaming",
        ("bold", "exciting", 8),
        &["controller", "explosion", "sword", "trophy", "bolt"],
        "game gaming gamer gameplay minecraft fortnite roblox valorant battle boss fight explosion esports speedrun console playstation xbox nintendo zelda pokemon rpg fps loot level quest survival survive hardcore pvp raid zombie controller sword ninja clash royale gta elden ring mod speedrunning steam arcade игра игры juego juegos spiel spiele jeu jeux jogo",
    ),
    category(
        "tech",
        ("modern", "professional", 6),
        &["laptop", "chip", "robot", "phone", "bolt"],
        "tech technology code coding programming programmer developer software hardware laptop computer pc phone smartphone iphone android gadget review unboxing ai robot chatgpt gpt openai app api rust python javascript typescript react linux windows mac gpu cpu chip server cloud data database web website cyber security hacker hacking algorithm startup internet wifi app технологии программирование tecnología programación technik programmieren",
    ),
    category(
        "education",
        ("clean", "inspiring", 5),
        &["book", "bulb", "atom", "globe", "star"],
        "education learn learning study studying school college university course lesson lecture tutorial teach teacher student exam test homework explain explained explanation guide beginner basics history language english spanish grammar vocabulary math algebra geometry calculus philosophy essay book reading classroom урок обучение история aprender curso historia lernen geschichte apprendre",
    ),
    category(
        "lifestyle",
        ("warm", "happy", 5),
        &["coffee", "house", "heart", "camera", "star"],
        "lifestyle vlog vlogger daily life morning routine evening decor apartment house family minimalism declutter organize organizing productivity journal self care wellness habit habits diy craft garden gardening moving wedding couple dating relationship love story storytime haul vida rutina leben alltag",
    ),
    category(
        "business",
        ("bold", "professional", 6),
        &["chart", "coins", "cash", "rocket", "target"],
        "business finance money cash invest investing investment investor stock stocks crypto bitcoin ethereum trading trader market economy income passive rich millionaire billionaire wealth budget saving savings bank tax taxes startup entrepreneur entrepreneurship marketing sales seo ecommerce dropshipping freelance salary profit loss debt credit estate real dinero negocio geld börse argent деньги бизнес inflation recession",
    ),
    category(
        "fitness",
        ("bold", "energetic", 8),
        &["dumbbell", "fire", "bolt", "clock", "heart"],
        "fitness workout gym exercise muscle bodybuilding abs sixpack biceps chest legs squat deadlift cardio hiit yoga pilates stretch stretching run running marathon weight loss fat diet protein calisthenics crossfit pushup pushups pullup strength body transformation shred фитнес тренировка ejercicio entrenamiento",
    ),
    category(
        "food",
        ("vibrant", "appetizing", 6),
        &["pizza", "pan", "burger", "cake", "fire"],
        "food cook cooking recipe recipes kitchen chef bake baking cake bread pizza pasta burger steak chicken meal dinner lunch breakfast dessert chocolate cookie cookies taste delicious tasty restaurant street spicy ramen noodles sushi taco tacos soup salad vegan bbq grill coffee cheese eat eating mukbang рецепт еда готовить receta comida cocina rezept kochen essen recette cuisine",
    ),
    category(
        "music",
        ("neon", "energetic", 7),
        &["note", "headphones", "mic", "guitar", "star"],
        "music song songs album beat beats producer production remix dj guitar piano drum drums bass singer singing vocal rap hiphop lofi edm techno rock metal jazz concert live band studio mix mixing playlist cover karaoke melody headphone headphones музыка песня música canción musik lied musique",
    ),
    category(
        "travel",
        ("scenic", "adventurous", 6),
        &["plane", "mountain", "palm", "globe", "camera"],
        "travel traveling trip journey adventure vacation holiday flight plane airport island beach mountain mountains hike hiking camping backpacking road city tour guide hotel japan tokyo paris london bali iceland thailand italy europe asia africa world explore exploring destination passport visa nomad sunset sea ocean путешествие viaje reise voyage viagem",
    ),
    category(
        "news",
        ("bold", "urgent", 7),
        &["megaphone", "globe", "warning", "mic", "clock"],
        "news breaking update politics election president government war crisis report headline press media interview debate world alert scandal exposed truth leak leaked announcement announced conference новости noticias nachrichten actualités",
    ),
    category(
        "sports",
        ("bold", "energetic", 8),
        &["ball", "trophy", "target", "fire", "star"],
        "sport sports football soccer basketball nba nfl fifa tennis baseball cricket hockey boxing mma ufc goal goals match league cup championship olympics player coach team stadium highlights race racing f1 formula car cars drift спорт футбол deporte fútbol fussball",
    ),
    category(
        "science",
        ("modern", "curious", 5),
        &["atom", "rocket", "globe", "bulb", "star"],
        "science space universe planet planets mars moon galaxy blackhole black hole physics quantum chemistry biology experiment lab dna evolution dinosaur dinosaurs brain astronomy nasa spacex rocket telescope gravity time relativity climate volcano космос наука ciencia espacio wissenschaft weltraum",
    ),
    category(
        "beauty",
        ("elegant", "glamorous", 4),
        &["heart", "star", "crown", "camera", "gift"],
        "beauty makeup skincare skin hair hairstyle nails nail fashion outfit outfits style dress cosmetics lipstick perfume glow grwm lookbook model jewelry shopping clothes thrift красота мода belleza maquillaje moda schönheit",
    ),
    category(
        "entertainment",
        ("bold", "playful", 8),
        &["star", "camera", "gift", "fire", "crown"],
        "entertainment funny comedy prank challenge reaction react reacting meme memes movie movies film trailer anime cartoon series netflix marvel celebrity show tv horror scary ghost haunted story mystery crime magic giveaway surprise last wins stream streamer podcast кино смешно película",
    ),
    category(
        "pets",
        ("playful", "cute", 5),
        &["paw", "heart", "ball", "house", "star"],
        "pet pets dog dogs puppy puppies cat cats kitten kittens animal animals horse bird birds parrot fish aquarium hamster rabbit wildlife zoo shark lion nature forest собака кошка perro gato hund katze chien chat",
    ),
];

/// The fallback for prompts without a known word.
pub(crate) const GENERAL: Category =
    category("general", ("bold", "exciting", 6), &["star", "rocket", "bolt", "arrow", "fire"], "");

/// A drawable thing and the words that mean it.
const MOTIFS: &[(&str, &str)] = &[
    (
        "explosion",
        "explosion explosions explode exploding exploded blast boom bomb bombs tnt nuke detonation explosive",
    ),
    ("controller", "controller gamepad joystick console gaming gamer playstation xbox nintendo"),
    (
        "sword",
        "sword swords blade knight battle fight duel war boss zelda minecraft medieval ninja samurai rpg",
    ),
    ("trophy", "trophy win winner winning champion championship victory award cup prize"),
    ("crown", "crown king queen royal royale legend prince princess"),
    (
        "skull",
        "skull dead death die died killer danger horror zombie zombies scary ghost haunted halloween hardcore pirate",
    ),
    ("ball", "ball football soccer goal fifa messi ronaldo match"),
    ("car", "car cars drift drive driving racing race supercar ferrari lamborghini bmw tesla vehicle auto"),
    (
        "dumbbell",
        "dumbbell dumbbells gym workout fitness muscle muscles exercise bodybuilding strength lifting weights training abs",
    ),
    ("note", "note notes song music melody sound beat beats tune playlist lofi remix"),
    ("headphones", "headphone headphones dj listen listening earbuds airpods audio"),
    ("mic", "mic microphone podcast sing singer singing karaoke interview vocal vocals rap rapper"),
    ("guitar", "guitar guitarist rock acoustic band concert"),
    (
        "laptop",
        "laptop computer code coding programming programmer developer software macbook pc desk setup website web rust python javascript typescript linux",
    ),
    ("chip", "chip cpu gpu processor hardware circuit circuits electronics nvidia intel amd server quantum"),
    ("phone", "phone phones smartphone iphone android app apps mobile tiktok instagram screen"),
    ("robot", "robot robots ai chatgpt gpt android bot automation artificial intelligence machine"),
    ("camera", "camera cameras vlog photo photography film video movie lens vlogging selfie"),
    (
        "book",
        "book books read reading study studying learn learning school exam lesson course story history library novel",
    ),
    ("bulb", "bulb idea ideas lightbulb tips tip trick tricks hack hacks creative inspiration think"),
    ("atom", "atom science physics chemistry experiment quantum lab particle nuclear"),
    (
        "chart",
        "chart charts graph growth grow stock stocks trading market analytics statistics data investing investment sales profit seo",
    ),
    ("coins", "coin coins gold crypto bitcoin savings treasure wealth rich"),
    (
        "cash",
        "cash money dollar dollars income salary rich millionaire pay paid bills budget dinero geld деньги",
    ),
    ("megaphone", "megaphone announcement news marketing promote advertising breaking alert loud"),
    ("pizza", "pizza pizzas slice italian cheese pepperoni"),
    ("pan", "pan cook cooking kitchen recipe recipes chef egg eggs breakfast fry frying"),
    ("burger", "burger burgers hamburger fastfood sandwich fries mcdonalds"),
    ("cake", "cake cakes birthday dessert bake baking sweet chocolate cupcake"),
    ("coffee", "coffee cup tea morning cafe latte espresso cozy"),
    ("plane", "plane airplane flight flights fly travel traveling trip airport vacation"),
    ("mountain", "mountain mountains hike hiking climb climbing everest camping nature alps landscape"),
    ("palm", "palm beach island tropical summer hawaii bali sea ocean vacation holiday sunset paradise"),
    ("house", "house home apartment room decor interior mansion estate mortgage rent tiny"),
    ("leaf", "leaf leaves plant plants garden gardening eco green vegan organic tree forest"),
    ("paw", "paw dog dogs puppy cat cats kitten pet pets animal animals"),
    ("person", "person people man woman guy girl boy human character face reaction portrait me"),
    ("globe", "globe world earth planet international global country countries geography map"),
    (
        "rocket",
        "rocket rockets launch space spaceship mars moon startup spacex nasa astronaut boost skyrocket",
    ),
    ("fire", "fire flame flames hot burn burning lit spicy inferno dragon lava fat grill bbq"),
    ("heart", "heart hearts love valentine health relationship dating wedding"),
    ("star", "star stars famous celebrity favorite magic review rating sparkle sparkles"),
    ("bolt", "bolt lightning thunder electric electricity energy power fast speed quick quickly storm"),
    ("arrow", "arrow arrows pointing direction next upgrade"),
    ("clock", "clock time minute minutes hour hours second seconds deadline timer schedule"),
    ("lock", "lock security secure password privacy hack hacker hacking hacked cyber vpn secret secrets"),
    ("gift", "gift gifts present giveaway christmas surprise unboxing box mystery"),
    ("target", "target aim goal goals focus bullseye strategy accuracy"),
    ("warning", "warning danger stop avoid mistake mistakes never wrong scam worst fail"),
];

/// Words that set the design style.
const STYLES: &[(&str, &str)] = &[
    ("minimalist", "minimalist minimal minimalistic simple clean"),
    ("neon", "neon cyberpunk synthwave glowing vaporwave"),
    ("retro", "retro vintage 80s 90s oldschool nostalgic"),
    ("luxury", "luxury luxurious elegant premium gold expensive"),
    ("pastel", "pastel soft cute kawaii"),
    ("horror", "horror creepy haunted halloween"),
    ("cartoon", "cartoon comic anime manga"),
    ("cinematic", "cinematic dramatic film movie"),
    ("modern", "modern futuristic sleek"),
    ("bold", "bold loud massive"),
];

const MOODS: &[(&str, &str)] = &[
    ("calm", "calm relaxing relaxed peaceful quiet chill cozy zen slow gentle"),
    ("scary", "scary terrifying creepy horror haunted nightmare"),
    ("dramatic", "dramatic epic intense shocking serious dark emotional"),
    ("playful", "funny fun playful silly cute happy joy"),
    ("professional", "professional corporate serious business expert"),
    ("inspiring", "inspiring inspirational motivational motivation dream"),
    ("exciting", "exciting insane crazy amazing awesome explosive extreme incredible"),
];

const LOUD: &str = "explosion explosions explosive explode epic insane crazy extreme ultimate intense battle fight war shocking massive huge impossible fast fire power hardcore energetic action hype wild record vs";
const QUIET: &str = "calm relaxing relaxed peaceful quiet chill minimal minimalist simple soft slow gentle cozy sleep meditation zen elegant lofi yoga clean";

fn index(rows: impl Iterator<Item = (usize, &'static str)>) -> HashMap<String, Vec<usize>> {
    let mut map: HashMap<String, Vec<usize>> = HashMap::new();
    for (row, words) in rows {
        for word in words.split(' ').filter(|word| !word.is_empty()) {
            let rows = map.entry(stem(word)).or_default();
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
    }
    map
}

static BY_CATEGORY: LazyLock<HashMap<String, Vec<usize>>> = LazyLock::new(|| {
    index(CATEGORIES.iter().enumerate().flat_map(|(row, c)| [(row, c.words), (row, c.name)]))
});
static BY_MOTIF: LazyLock<HashMap<String, Vec<usize>>> = LazyLock::new(|| {
    index(MOTIFS.iter().enumerate().flat_map(|(row, (name, words))| [(row, *words), (row, *name)]))
});
static BY_STYLE: LazyLock<HashMap<String, Vec<usize>>> =
    LazyLock::new(|| index(STYLES.iter().enumerate().map(|(row, (_, words))| (row, *words))));
static BY_MOOD: LazyLock<HashMap<String, Vec<usize>>> =
    LazyLock::new(|| index(MOODS.iter().enumerate().map(|(row, (_, words))| (row, *words))));
static BY_ENERGY: LazyLock<HashMap<String, Vec<usize>>> =
    LazyLock::new(|| index([(0, LOUD), (1, QUIET)].into_iter()));

/// Categories a stem speaks for, as rows of [`CATEGORIES`].
pub(crate) fn categories_of(stem: &str) -> &'static [usize] {
    BY_CATEGORY.get(stem).map_or(&[], Vec::as_slice)
}

/// Motifs a stem means, first the likeliest.
pub(crate) fn motifs_of(stem: &str) -> impl Iterator<Item = &'static str> {
    BY_MOTIF.get(stem).into_iter().flatten().map(|row| MOTIFS[*row].0)
}

pub(crate) fn style_of(stem: &str) -> Option<&'static str> {
    BY_STYLE.get(stem).and_then(|rows| rows.first()).map(|row| STYLES[*row].0)
}

pub(crate) fn mood_of(stem: &str) -> Option<&'static str> {
    BY_MOOD.get(stem).and_then(|rows| rows.first()).map(|row| MOODS[*row].0)
}

/// +1 for loud words, -1 for quiet ones.
pub(crate) fn energy_of(stem: &str) -> i8 {
    match BY_ENERGY.get(stem).map(Vec::as_slice) {
        Some([0]) => 1,
        Some([1]) => -1,
        _ => 0,
    }
}

/// The category of that name or of a word that speaks for it, e.g. `finance`.
pub(crate) fn category_named(name: &str) -> &'static Category {
    let name = name.to_lowercase();
    CATEGORIES
        .iter()
        .find(|known| known.name == name)
        .or_else(|| {
            crate::words::words(&name)
                .iter()
                .find_map(|word| categories_of(&stem(word)).first().map(|row| &CATEGORIES[*row]))
        })
        .unwrap_or(&GENERAL)
}
