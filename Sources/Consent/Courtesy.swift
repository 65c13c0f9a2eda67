/// Greetings, politeness and impatience around a message, which change nothing in what it asks.
enum Courtesy {
  /// The words without one courtesy at their end or, failing that, their beginning; nil when there is none, or nothing
  /// else.
  static func trimmed(_ words: ArraySlice<String>) -> ArraySlice<String>? {
    for length in stride(from: min(longest, words.count - 1), through: 1, by: -1) {
      if phrases.contains(words.suffix(length).joined(separator: " ")) { return words.dropLast(length) }
      if phrases.contains(words.prefix(length).joined(separator: " ")) { return words.dropFirst(length) }
    }
    return nil
  }

  private static let phrases: Set<String> = Set(
    text.split(separator: "\n").flatMap { $0.split(separator: ",") }.map { StopText(String($0)).phrase })
  private static let longest = phrases.map { $0.split(separator: " ").count }.max() ?? 0

  private static let text = """
    لو سمحت,لو سمحتم,لو سمحتوا,لو سمحتي,لوسمحت,لوسمحتوا,لو تكرمتم,لو تكرمت,من فضلك,من فضلكم,فضلا,بعد إذنكم,بعد اذنك
    رجاء,رجاءً,الرجاء,ارجو,أرجوكم,أرجوك,نرجو,بليز,بلييز,ممكن,يا ريت,ياريت,تكفون,تكفى,عافاك,عافاكم,الله يخليك,الله يخليكم
    الله يسعدكم,الله يرضى عليكم,الله يعطيكم العافية,يعطيكم العافية,جزاكم الله خير,بالله,بالله عليكم,والله,معلش,معليش
    شكرا,شكرًا,شكرا لكم,شكرا جزيلا,شكرا لك,مشكور,مشكورين,متشكر,متشكرين,تسلم,تسلموا,يسلمو,يعيشك,بارك الله فيكم
    السلام عليكم,سلام عليكم,السلام عليكم ورحمة الله,السلام عليكم ورحمة الله وبركاته,وعليكم السلام,مرحبا,أهلا,اهلين,هلا,\
    هاي
    صباح الخير,مساء الخير,يا جماعة,يا جماعة الخير,يا اخي,اخي,يا اخوان,حضرتك,يا فندم,بقى,بقا,خلاص,خلص,طيب,يعني,الآن,\
    الحين,دلوقتي
    حالا,فورا
    please,pls,plz,plss,plse,kindly,just,thanks,thank you,thank u,thx,ty,many thanks,hi,hello,hey,dear,dear sir,sir,\
    madam,team
    guys,bro,ok,okay,now,right now,immediately,asap,for gods sake,i said,can you,could you,you,i want you to,i would \
    like you to
    svp,stp,s'il vous plait,s'il te plait,merci,merci beaucoup,bonjour,bonsoir,salut
    lütfen,teşekkürler,teşekkür ederim,merhaba,artık
    براہ کرم,براہ مہربانی,برائے مہربانی,پلیز,شکریہ
    law sama7t,lw sama7t,law samaht,lw samaht,law sama7to,lw sama7to,men fadlak,men fadlko,shokran,shukran,ya gama3a,\
    ba2a,khalas
    salam,salam alaikum,assalamu alaikum,afak,3afak,bhai,yaar,jee,ji,shukriya,meherbani,po,salamat,pakiusap
    """
}
