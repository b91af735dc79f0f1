"""The pairs by which the threshold was chosen: what asks the same, what does not, and what is missed."""

import pytest

from sessiond.core.turns.asked_again import UNITS_MAX, asks_again

AGAIN = [
    ("How do I cancel my subscription?", "How can I cancel the subscription?"),
    ("How do I cancel my subscription?", "I want to cancel my subscription, how do I do that?"),
    ("Where is my parcel 1041?", "Parcel 1041, where is it?"),
    ("why does the build fail on windows", "Why does the build fail on Windows? It works on Linux."),
    ("Please refund order 1077, it arrived broken", "My order 1077 arrived broken. I want a refund for order 1077."),
    ("Translate this to French: good morning everyone", "I said translate 'good morning everyone' to French"),
    ("What are the opening hours of the store in Berlin?", "Opening hours of the Berlin store?"),
    ("Wie kündige ich mein Abonnement?", "Wie kann ich mein Abonnement kündigen?"),
    ("¿Cómo puedo cambiar mi contraseña?", "Quiero cambiar mi contraseña, ¿cómo lo hago?"),
    ("Comment puis-je changer mon mot de passe ?", "Je veux changer mon mot de passe, comment faire ?"),
    ("Как отменить подписку на журнал?", "Я хочу отменить подписку на журнал, как это сделать?"),
    ("里斯本现在的天气怎么样?", "请告诉我里斯本现在的天气"),
    ("注文1041の荷物はどこですか", "荷物はどこですか?注文1041です"),
    ("كيف يمكنني إلغاء اشتراكي؟", "أريد إلغاء اشتراكي، كيف يمكنني ذلك؟"),
    (
        "What is the capital of Australia and how many people live there?",
        "What is the capital of Australia and how many people live there?",
    ),
    ("Why was I charged twice this month?", "I was charged twice this month, why?"),
    ("The login page shows an error after the update", "After the update the login page still shows an error"),
    ("Kannst du mir den Bericht als PDF schicken?", "Schick mir bitte den Bericht als PDF"),
    ("Quanto custa enviar uma encomenda para o Brasil?", "Quanto é que custa enviar a encomenda para o Brasil?"),
    ("Jak mogę zmienić adres dostawy?", "Chcę zmienić adres dostawy, jak mogę to zrobić?"),
    ("请帮我查一下订单1041的物流信息", "订单1041的物流信息帮我查一下"),
    ("会議の予約を明日の午後に変更してください", "明日の午後に会議の予約を変更したいです"),
]
MISSED = [
    ("What is the weather in Lisbon right now?", "Can you tell me the current weather in Lisbon?"),
    ("Wo ist mein Paket mit der Nummer 1041?", "Ich habe gefragt, wo mein Paket 1041 ist"),
    ("我怎么取消订阅?", "怎么样才能取消我的订阅?"),
    ("リスボンの今の天気を教えてください", "今のリスボンの天気はどうですか"),
    ("구독을 어떻게 취소하나요?", "구독을 취소하려면 어떻게 해야 하나요?"),
    ("Can I bring my dog on the train?", "Is it allowed to bring my dog on the train?"),
    ("Show me all failed deployments from last week", "show the failed deployments of last week"),
    ("How long does delivery to Norway take?", "How long will the delivery to Norway take?"),
    ("Quels sont les horaires d'ouverture du musée ?", "Je voudrais connaître les horaires d'ouverture du musée"),
    ("환불을 받으려면 어떻게 해야 하나요?", "환불을 받고 싶은데 어떻게 해야 하나요?"),
]
OTHER = [
    ("What is the weather in Lisbon?", "What is the weather in Porto?"),
    ("What is the weather in Lisbon right now?", "And in Porto?"),
    ("Where is order 1041?", "Where is order 1042?"),
    ("yes", "yes"),
    ("thanks", "thanks!"),
    ("next", "next"),
    ("Yes, please", "yes please do"),
    ("go on", "go on"),
    ("continue", "Continue."),
    ("ok", "ok"),
    ("Tell me more", "Tell me more about it"),
    ("Tell me a joke", "Tell me another joke"),
    ("Tell me a fact about Porto.", "And one about Faro?"),
    ("Tell me a fact about Porto.", "Tell me a fact about Faro."),
    ("Translate to French: good morning", "Translate to French: good night"),
    ("Hello, what can you tell me about Lisbon?", "What is the weather in Lisbon right now?"),
    ("What is the weather in Lisbon right now?", "Please summarise our talk."),
    ("How do I cancel my subscription?", "How do I change my password?"),
    ("How do I install it on Linux?", "How do I install it on Windows?"),
    ("Add a test for the parser", "Add a test for the lexer"),
    ("Fix the failing test in test_parser.py", "Now fix the failing test in test_lexer.py too"),
    ("Write a poem about the sea", "Write it shorter"),
    ("Book a table for two at seven", "Make it a table for four at eight"),
    ("Was kostet der Versand nach Österreich?", "Was kostet der Versand nach Italien?"),
    ("Wie ist das Wetter in Berlin?", "Wie ist das Wetter in Hamburg?"),
    ("¿Cuánto cuesta el envío a Francia?", "¿Cuánto cuesta el envío a Italia?"),
    ("里斯本的天气怎么样?", "波尔图的天气怎么样?"),
    ("谢谢", "谢谢"),
    ("好的", "好的"),
    ("はい", "はい"),
    ("ありがとうございます", "ありがとうございます"),
    ("네", "네"),
    ("감사합니다", "감사합니다"),
    ("继续", "继续"),
    ("次をお願いします", "次をお願いします"),
    ("リスボンの天気はどうですか", "ポルトの天気はどうですか"),
    ("구독을 어떻게 취소하나요?", "비밀번호를 어떻게 변경하나요?"),
    ("Как отменить подписку?", "Как изменить пароль?"),
    ("Explain the first paragraph of the text", "Explain the second paragraph of the text"),
    ("Summarise chapter one of the book", "Summarise chapter two of the book"),
    ("What is the population of France?", "What is the capital of France?"),
    ("Show me all failed deployments from last week", "Show me all failed deployments from this week"),
    ("How long does delivery to Norway take?", "How long does delivery to New Zealand take?"),
    ("Who wrote War and Peace?", "Who wrote Crime and Punishment?"),
    ("Set a timer for ten minutes", "Set an alarm for ten o'clock"),
    ("Convert 10 miles to kilometres", "Convert 12 miles to kilometres"),
    ("Thank you very much!", "Thank you very much!"),
    ("Yes please go ahead", "Yes, go ahead please"),
    ("Sounds good, thanks", "Sounds great, thanks a lot"),
    ("Can you make it shorter?", "Can you make it longer?"),
    ("Kannst du das kürzer machen?", "Kannst du das länger machen?"),
    ("Was ist die Hauptstadt von Spanien?", "Was ist die Hauptstadt von Portugal?"),
    ("Quelle est la capitale de la France ?", "Quelle est la capitale de l'Italie ?"),
    ("订单1041在哪里?", "订单1042在哪里?"),
    ("请把这段话翻译成英文", "请把这段话翻译成日文"),
    ("东京的人口是多少?", "大阪的人口是多少?"),
    ("東京の人口はどのくらいですか", "大阪の人口はどのくらいですか"),
    ("서울의 인구는 얼마인가요?", "부산의 인구는 얼마인가요?"),
    ("What does the function foo do?", "What does the function bar do?"),
    ("Delete the first row of the table", "Delete the last row of the table"),
    ("Now do the same for the second file", "Now do the same for the third file"),
    ("What are the side effects of ibuprofen?", "What are the side effects of paracetamol?"),
    ("I like the blue one", "I like the red one"),
    ("Write a unit test for the parser module", "Write documentation for the parser module"),
    ("Is it open on Sunday?", "Is it open on Monday?"),
    ("好的,请继续", "好的,请继续"),
    ("それでお願いします", "それでお願いします"),
    ("ok thank you", "ok, thank you so much"),
    ("да, пожалуйста", "да, пожалуйста"),
    ("Что такое фотосинтез?", "Что такое хемосинтез?"),
]


@pytest.mark.parametrize(("before", "after"), AGAIN)
def test_the_same_question_in_mostly_the_same_words_is_asked_again(before: str, after: str):
    assert asks_again(before, after)
    assert asks_again(after, before)


@pytest.mark.parametrize(("before", "after"), OTHER)
def test_another_question_or_a_mere_answer_is_not(before: str, after: str):
    assert not asks_again(before, after)
    assert not asks_again(after, before)


@pytest.mark.parametrize(("before", "after"), MISSED)
def test_what_is_asked_in_other_words_is_missed_as_the_docs_say(before: str, after: str):
    assert not asks_again(before, after)


def test_the_docs_figures_are_those_of_the_pairs():
    assert (len(AGAIN), len(AGAIN) + len(MISSED), len(OTHER)) == (22, 32, 70)


def test_documents_are_not_compared():
    document = "word " * UNITS_MAX
    assert asks_again(document + "one two", document + "one two") is False
