/// What is said to somebody who stopped, and to somebody whose words left a doubt, in their language.
public struct ReplyTexts: Hashable, Sendable {
  public var confirmation: String
  public var question: String
  /// At most 20 characters each: Meta's limit for a button.
  public var stopButton: String
  public var keepButton: String

  public init(confirmation: String, question: String, stopButton: String, keepButton: String) {
    (self.confirmation, self.question) = (confirmation, question)
    (self.stopButton, self.keepButton) = (stopButton, keepButton)
  }

  public static func shipped(_ language: StopLanguage) -> ReplyTexts {
    switch language {
    case .arabic:
      ReplyTexts(
        confirmation: "تم إيقاف رسائل العروض، ولن نرسل إليك عروضًا بعد الآن. للعودة أرسل: ابدأ",
        question: "هل تريد أن نتوقف عن إرسال رسائل العروض إليك؟", stopButton: "نعم، أوقفوها", keepButton: "لا، استمروا")
    case .english:
      ReplyTexts(
        confirmation: "You will get no more offers from us. To get them again, write START.",
        question: "Should we stop sending you offers?", stopButton: "Yes, stop", keepButton: "No, keep sending")
    case .french:
      ReplyTexts(
        confirmation: "Vous ne recevrez plus nos offres. Pour les recevoir à nouveau, écrivez START.",
        question: "Voulez-vous ne plus recevoir nos offres ?", stopButton: "Oui, arrêter", keepButton: "Non, continuer")
    case .turkish:
      ReplyTexts(
        confirmation: "Artık size kampanya mesajı göndermeyeceğiz. Yeniden almak için BAŞLA yazın.",
        question: "Kampanya mesajlarını durduralım mı?", stopButton: "Evet, durdurun", keepButton: "Hayır, devam edin")
    case .urdu:
      ReplyTexts(
        confirmation: "اب آپ کو ہماری پیشکشیں نہیں بھیجی جائیں گی۔ دوبارہ پانے کے لیے START لکھیں۔",
        question: "کیا ہم آپ کو پیشکشیں بھیجنا بند کر دیں؟", stopButton: "جی، بند کریں", keepButton: "نہیں، جاری رکھیں")
    case .hindi:
      ReplyTexts(
        confirmation: "Ab hum aapko offers nahi bhejenge. Dobara paane ke liye START likhein.",
        question: "Kya hum aapko offers bhejna band kar dein?", stopButton: "Haan, band karo", keepButton: "Nahi, jaari rakho")
    case .tagalog:
      ReplyTexts(
        confirmation: "Hindi ka na makakatanggap ng mga alok namin. Para bumalik, i-text ang START.",
        question: "Ititigil na ba namin ang mga alok?", stopButton: "Oo, itigil", keepButton: "Hindi, ituloy")
    }
  }
}
