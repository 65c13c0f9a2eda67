/// Names as shops have them: each person is written in one of the two scripts.
enum DemoNames {
  static let given: [(arabic: String, latin: String)] = [
    ("محمد", "Mohamed"), ("أحمد", "Ahmed"), ("محمود", "Mahmoud"), ("مصطفى", "Mostafa"), ("يوسف", "Youssef"),
    ("عمر", "Omar"),
    ("علي", "Ali"), ("خالد", "Khaled"), ("عبد الله", "Abdullah"), ("عبدالرحمن", "Abdulrahman"), ("فهد", "Fahad"),
    ("سعود", "Saud"), ("ماجد", "Majed"), ("طارق", "Tarek"), ("كريم", "Karim"), ("ياسين", "Yassine"), ("حمزة", "Hamza"),
    ("إبراهيم", "Ibrahim"), ("فاطمة", "Fatma"), ("مريم", "Mariam"), ("نورة", "Noura"), ("سارة", "Sara"),
    ("منى", "Mona"),
    ("هند", "Hind"), ("ليلى", "Laila"), ("آية", "Aya"), ("رانيا", "Rania"), ("دينا", "Dina"), ("خديجة", "Khadija"),
    ("زينب", "Zineb"), ("هدى", "Huda"), ("أسماء", "Asmaa"), ("ريم", "Reem"), ("شيماء", "Shaimaa"), ("عائشة", "Aisha"),
  ]

  static let family: [(arabic: String, latin: String)] = [
    ("حسن", "Hassan"), ("السيد", "El Sayed"), ("عبد الفتاح", "Abdel Fattah"), ("الشناوي", "El Shenawy"),
    ("منصور", "Mansour"),
    ("القحطاني", "Al-Qahtani"), ("العتيبي", "Al Otaibi"), ("الغامدي", "Alghamdi"), ("الشمري", "Al Shammari"),
    ("المنصوري", "Al Mansoori"), ("المطيري", "Al-Mutairi"), ("العنزي", "Alenezi"), ("النعيمي", "Al Nuaimi"),
    ("الخطيب", "Al-Khatib"), ("العمري", "Alomari"), ("بني هاني", "Bani Hani"), ("بنعلي", "Benali"),
    ("العلوي", "Alaoui"),
    ("الفاسي", "El Fassi"), ("بناني", "Bennani"), ("صالح", "Saleh"), ("د'أوليفيرا", "D'Oliveira"),
  ]

  /// What is not a name stands at its edge or inside it: tatweel, quotation marks, blanks, RLM, a flower.
  static let ornaments: [(before: String, after: String)] = [
    ("", "\u{0640}\u{0640}"), ("\"", "\""), (" ", "  "), ("\u{200F}", "\u{200F}"), ("", " 🌸"), ("أبو ", "، الحاج"),
    ("", ", Jr."),
  ]

  static let discounts = ["10%", "15%", "15%", "20%", "20%", "20%", "25%", "30%"]
}
