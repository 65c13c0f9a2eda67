// English, French, Turkish, Arabic in Latin letters and digits, Urdu and Hindi in Latin letters, Tagalog.
extension StopPhrases {
  static let latin = """
    # English.
    @messages = messages message msgs msg texts text ads ad advertising advertisements offers offer promotions promos \
    promotion spam
    @messages = @messages marketing promotional_messages marketing_messages sms whatsapp_messages notifications \
    updates newsletters
    @any = any any_more anymore more your these those the all your_stupid all_your
    @again = again anymore any_more ever_again ever any_longer from_now_on
    stop en: stop/stopp/sto/stpo/stap/stop_it/stop_this/stop_that/stop_all/stopall/stop_everything/full_stop
    stop en: stop @any? @messages @again?
    stop en: stop promotions/marketing/subscription/my_subscription/the_subscription
    stop en: stop sending/texting/messaging/spamming/contacting/writing/bothering/harassing/disturbing me/us/to_me? \
    @any? @messages? @again?
    @dont = dont do_not never pls_dont
    stop en: @dont text/message/contact/spam/write/disturb/bother/whatsapp me/us/to_me @any? @messages? @again?
    stop en: @dont send me/us/to_me? @any? @messages @again?
    stop en: @dont send/text/message/contact me/us/to_me? @again
    stop en: unsubscribe/unsubcribe/unsuscribe/unsubscribed/unsub/unsubscibe/unsuscribed/unsubscripe me? from? all? \
    @messages/this/here/list/your_list/the_list?
    stop en: no_more @messages @again?
    stop en: no ads/spam/promotions/marketing/advertising/advertisements @again?
    stop en: leave_me_alone/leave_us_alone/opt_out/optout/opt_me_out/opting_out/i_want_to_opt_out/do_not_disturb/\
    dont_disturb
    stop en: i want/wish/would_like/need to unsubscribe/opt_out/stop from? @any? @messages?
    stop en: i dont/do_not want/need/like @any? @messages @again?
    stop en: cancel/end/stop/terminate my/the/this? subscription
    stop+ en: remove/delete/erase my number/phone/phone_number/data/details/contact/name/information/info/account \
    from? your/the? list/database/system/records/contacts?
    stop+ en: remove/delete me from? your/the/this? list/database/mailing_list/system/contacts/group?
    stop+ en: take me/my_number off your/the/this? list/database
    stop+ en: i_will/ill/im_going_to/i_am_going_to/gonna report/block you/this/this_number/your_number
    stop+ en: reported/reporting_you/i_reported_you/you_are_blocked/youre_blocked/blocked_and_reported/gdpr_request
    cancel en: cancel/cancelled/cancel_it/cancellation/canceled
    ask en: no_more/dont_send/dont_send_me/end/quit/enough/block/spam/not_interested/im_not_interested/\
    i_am_not_interested/no_interest/annoying/so_annoying/go_away
    ask en: how/where did/do you get/got/have/find my number/contact/phone_number/details
    ask en: who gave you my number/contact/phone_number
    start en: start/unstop/subscribe/subscribe_me/resubscribe/opt_in/optin/resume/start_messages/start_again/\
    start_sending/i_want_to_subscribe

    # French.
    @msgs = messages message msg msgs sms pub pubs publicite publicites promo promos promotions offres spam textos texto
    stop fr: stop pub/pubs/sms/aux_messages/les_messages/messages/les_pubs
    stop fr: desabonner/desabonnez/desabonne/desabonnement/desinscrire/desinscrivez/desinscription/desinscris/\
    désabonner_moi/désabonnez_moi
    stop fr: me/se/je_veux_me/je_souhaite_me/je_voudrais_me/veuillez_me/merci_de_me desabonner/desinscrire
    stop fr: desabonnez/desinscrivez/desinscris/desabonne moi
    # "Plus d'offres" may as well mean more of them.
    stop fr: plus de/de_vos? messages/message/msg/sms/pub/pubs/publicite/publicites/spam
    stop fr: assez/marre de/d/des/de_vos @msgs
    stop fr: plus_aucun/plus_jamais_de/aucun/pas_de @msgs
    stop fr: arret/arreter/arretez/arrete d'envoyer/de_m'envoyer/d_envoyer/avec/de_menvoyer des/de/vos/ces/les? @msgs
    stop fr: arretez/arrete/arretez_ça/arretez_tout/arreter_les_messages/arretez_les_messages/arret_des_messages/\
    arret_sms/arret_pub
    stop fr: ne m'envoyez/menvoyez/m_envoyez/m'ecrivez/m'envoie/me_contactez plus rien/jamais/de? @msgs?
    stop fr: n'envoyez/nenvoyez plus rien/de? @msgs?
    stop fr: je_ne_veux/je_veux/veux/je_ne_souhaite plus/pas de/recevoir/recevoir_de/recevoir_vos/de_vos/recevoir_des \
    @msgs
    stop fr: laissez_moi_tranquille/laisse_moi_tranquille/fichez_moi_la_paix/foutez_moi_la_paix
    stop+ fr: supprimez/supprimer/effacez/effacer/retirez/retirer/enlevez/enlever mon_numero/mes_donnees/mon_contact/\
    mon_nom de? votre/vos/la? liste/base/fichier/fichiers?
    stop+ fr: retirez/supprimez/enlevez/effacez/retirer moi de? votre/la? liste/base/fichier?
    cancel fr: annuler/annulez/annulation/annule
    ask fr: pas_interesse/pas_interessee/je_ne_suis_pas_interesse/pas_interesse_du_tout/ça_suffit/ca_suffit/assez/fin/\
    resilier/arret
    ask fr: ou/comment avez_vous/vous_avez eu/trouve mon numero
    start fr: reabonner/reprendre/je_m'abonne/m'abonner/reabonnez_moi

    # Turkish.
    stop tr: dur/durdur/durdurun/durun/ret/stop_mesaj/abonelikten_çık/abonelikten_çıkar/abonelikten_çıkmak_istiyorum/\
    üyelikten_çık
    stop tr: aboneliği/üyeliği/aboneliğimi/üyeliğimi/listeden iptal/iptal_et/iptal_edin/sil/çıkar/çıkarın
    @mesaj = mesaj mesajlar mesajları sms reklam reklamlar reklamları kampanya bildirim
    stop tr: bana? artık? @mesaj gönderme/göndermeyin/göndermeyiniz/atma/atmayın/atmayınız/yollamayın/yollama/\
    istemiyorum/istemiyoruz/almak_istemiyorum
    stop tr: @mesaj durdur/durdurun/kes/kesin
    stop tr: rahatsız_etmeyin/rahatsız_etme/beni_rahatsız_etmeyin
    stop+ tr: numaramı/bilgilerimi/verilerimi sil/silin/siliniz/çıkarın/kaldırın
    stop+ tr: beni listeden/listenizden çıkar/çıkarın/silin/sil
    cancel tr: iptal/iptal_et/iptal_edin
    ask tr: istemiyorum/ilgilenmiyorum/yeter/numaramı_nereden_buldunuz/numaramı_nerden_buldunuz/numaramı_nereden_aldınız
    start tr: başla/başlat/abone_ol/abone/üye_ol

    # Arabic in Latin letters.
    @msh = msh mesh mish mosh mush mch
    @3ayz = 3ayz 3ayez 3aiz 3ayza 3ayzeen 3ayzin 3awz 3awez 3awza 3awzeen 3yz 3wz ayez ayz aiz 3ayiz
    @rasayel = rasayel rasael rsayel rasayil rasail rsael el_rasayel elrasayel rasayelko rasayelkom messages \
    el_messages msgs msg masgat
    @rasayel = @rasayel masagat e3lanat i3lanat el_e3lanat 3orod 3oroud el_3orod mesagat les_messages l_messages \
    massajat
    @tany = tany tani taany tanyy tany_b2a ba2a aktar kaman
    stop ar: @msh @3ayz @rasayel @tany?
    @matb3atosh = matb3atosh matb3tosh mateb3atosh matab3atosh mtb3tosh matb3atoosh matb3atolish matb3atoleesh \
    mateb3atolish matb3tolish ma_tb3atosh matb3atoli4
    stop ar: @matb3atosh li/lya/7aga? @rasayel? @tany?
    stop ar: batal/battal/batalo/battalo/batlo/batalu/wa2af/wa2fo/wa2efo/wa2afo/wqfo/wa2afu/awqefo/kefaya/kifaya/\
    balash/5alas/khalas teb3ato/tb3ato/tib3ato/teb3atoly/ersal? @rasayel
    stop ar: batal/battal/batalo/battalo/batlo/batalu teb3ato/tb3ato/tib3ato/teb3atoly/teb3atouli/teb3atooly @tany?
    stop ar: elgha2/el8a2/ilgha2/algha2/elghaa/ilghaa/elgha/ilgha/algha/elghi/el8i/alghi el/al/il/l? eshterak/ishterak/\
    ishtirak/eshtrak/eleshterak/al_ishtirak/eshteraky/ishtiraki
    stop ar: cancel el/al? eshterak/ishtirak/eshteraky/ishtiraki
    stop ar: la trslon/tersloon/trsloon/tarsloon/tersilun/tarsilun/terslon/trslo/tersilon/tirsilun/trsloly/tersloli/\
    trslonly/trsl li/ly/lee? shy/shi/shay? @rasayel?
    stop ar: latrslon/laterslon/latrsloon/la_3ad_trslon/la_3ad_tersloon/la_tetrshon/la_tatrshon/la_tatrishon
    stop ar: ma_abi/mabi/ma_abgha/mabgha/ma_abi8a/ma_nabi/mabi8a @rasayel
    stop ar: ma/mo bade/badi/baddi/bdi/beddi/bide/biddi/badna @rasayel
    stop ar: ma_b8it/ma_bghit/mabghit/mab8itch/ma_bghitch/mabghitch/ma_b8itch @rasayel
    stop ar: ma_tsifto/matsiftoch/matsaftoch/ma_tsiftoch/matsiftolich/matsifetouch liya/lia? @rasayel?
    stop ar: safi/sf baraka/barka men? @rasayel?
    stop ar: baraka/barka/yezi/yezzi/yzi/fokouni/fokoni/fkouni men/mn/min @rasayel
    stop+ ar: shelo/sheelo/shilo/sheel/shil/shiloo/em7o/ems7o/imsa7o/emsa7o/e7zefo/e7zfo/i7zifo/ehzefo/7aydo/hido/n7iw \
    raqami/rakami/ra2ami/raqmi/rakmi/nemrty/nemreti/nmrti/nimriti/numrti
    stop+ ar: sheloni/sheeloni/shiloni/e7zefoni/emsa7oni/n7iwni/7aydouni men_3andko/men_3andkom/mn_3ndkm/men_el_list/\
    men_el_lista?
    stop+ ar: ha3melko/ha3melkom/h3mlko/ha3mlkom/ha3mel block/blok/report
    cancel ar: elgha2/el8a2/ilgha2/algha2/elghaa/ilghaa/cansel/cancell
    ask ar: kefaya/kifaya/khalas_kefaya/5alas_kefaya/baraka/barka/yezi/yezzi/wa2af/wa2fo/wa2efo
    ask ar: @msh @3ayz/mohtam/mohtama/mohtamm
    ask ar: ma_abi/mabi/ma_abgha/mabgha/ma_bade/ma_badi/ma_baddi
    ask ar: gebto/gibto/jebto/jibto raqami/rakami/ra2ami/nemrty mnen/menen/men_wen/min_wen/mn_wen/men_fen
    ask ar: men_wen/min_wen/mn_wen/menen gebto/jebto/jibto/5azto raqami/rakami/ra2ami/nemrty
    start ar: ebda2/ibda2/ebda/ibda/eshterek/ishterek/eshtrek/ragga3o_el_rasayel/rag3o_el_rasayel

    # Urdu and Hindi in Latin letters.
    @paigham = message messages msg msgs mesg sms massage paigham ads ad
    stop hi: mujhe/muje/mujhko? @paigham mat/na/nahi bhejo/bhejna/bhejiye/bhejen/bhejain/bhejein/karo/kro/kare/karen/\
    karein/karna/kijiye
    stop hi: ye/yeh? @paigham band/bund karo/kro/kar_do/kardo/kar_dein/karein/karen/kijiye/karain
    stop hi: band_karo/bund_karo/band_kro/bnd_kro
    stop+ hi: mera number/no/nambar hata/delete/nikal/remove do/dein/karo/kro/kar_do/kardo/den

    # Tagalog.
    stop tl: tigil/tigilan/itigil/tama na/nyo_na/mo_na/niyo_na? po? ako/ito/yan? po?
    stop tl: huwag/wag na po? mag_text/magtext/mag_message/magmessage/mag_send/magsend/kayong_mag_text/kayo_mag_text
    stop tl: ayaw_ko_na_ng_messages/ayoko_na_ng_messages/ayaw_ko_ng_messages/ayoko_ng_messages/ayoko_na_ng_text
    stop+ tl: paki_alis/pakialis/paki_delete/alisin/pakitanggal/tanggalin ang/nyo_ang? number/numero ko
    """
}
