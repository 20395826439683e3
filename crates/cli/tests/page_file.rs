//! `halflight page`: what it writes is what a predictor serves beside the network.

mod workshop;

use workshop::Workshop;

#[test]
fn a_page_file_holds_samples_and_outputs_of_the_network() {
    let shop = Workshop::furnished();
    let made = shop.json("page compiled.safetensors --data data.safetensors --collateral ink --out page.json");
    let page: serde_json::Value = serde_json::from_slice(&std::fs::read(shop.path("page.json")).unwrap()).unwrap();
    assert_eq!(page["main"]["name"], "digit");
    assert_eq!(page["collateral"]["name"], "ink");
    assert_eq!(page["cloud"]["outputs"].as_array().unwrap().len() as u64, made["points"].as_u64().unwrap());
    assert_eq!(page["samples"].as_array().unwrap().len() as u64, made["samples"].as_u64().unwrap());
    // The first item is the first of its labels, so that it is a sample; what is encrypted gives the same integers.
    let said = shop.json("predict --key functional.key --network compiled.safetensors ciphertexts/0.ct");
    let samples = page["samples"].as_array().unwrap();
    assert!(samples.iter().any(|sample| sample["output"] == said["results"][0]["output"]), "{said}");

    shop.refuses("page compiled.safetensors --data data.safetensors --collateral ink --out page.json", &["--force"]);
    shop.refuses(
        "page compiled.safetensors --data data.safetensors --collateral colour --out out",
        &["no label `colour`"],
    );
    shop.refuses(
        "page network.safetensors --data data.safetensors --collateral ink --out out",
        &["network.safetensors"],
    );
}

#[test]
fn a_page_file_of_a_table_asks_for_its_columns() {
    let shop = Workshop::empty();
    let row = |item: usize| {
        let (age, town) = (20 + item * 7 % 50, ["Ulm", "Bern", "Genf"][item % 3]);
        format!("{age},{town},{},{}\n", usize::from(age > 40), item % 2)
    };
    let table: String = std::iter::once("age,town,rich,sex\n".to_owned()).chain((0..120).map(row)).collect();
    std::fs::write(shop.path("people.csv"), table).unwrap();
    shop.works("dataset import table people.csv --labels rich,sex --unknown other --out people.safetensors");
    shop.works(
        "train --data people.safetensors --main rich --collateral sex --defence none --units 6 --steps 20 --batch 60 --out n",
    );
    shop.works("compile n --data people.safetensors --steps 4 --out compiled.safetensors");
    shop.works("page compiled.safetensors --data people.safetensors --collateral sex --out page.json");
    let page: serde_json::Value = serde_json::from_slice(&std::fs::read(shop.path("page.json")).unwrap()).unwrap();
    assert_eq!((&page["version"], page.get("ink")), (&2.into(), None));
    let columns = page["form"]["table"]["columns"].as_array().unwrap();
    assert_eq!(columns.iter().map(|column| &column["name"]).collect::<Vec<_>>(), ["age", "town"]);
    assert_eq!(page["form"]["table"]["labels"], serde_json::json!([]));
    // The values of every sample are those of a row, as short as people write them.
    for sample in page["samples"].as_array().unwrap() {
        let values: Vec<&str> =
            sample["values"].as_array().unwrap().iter().map(|value| value.as_str().unwrap()).collect();
        let (rich, sex) = (&sample["main"], &sample["collateral"]);
        let line = format!("{},{},{rich},{sex}\n", values[0], values[1]);
        assert!((0..120).any(|item| row(item) == line), "{line}");
    }

    // A table of other columns is none for this network.
    std::fs::write(shop.path("other.csv"), "age,rich,sex\n1,0,0\n2,1,1\n").unwrap();
    shop.works("dataset import table other.csv --labels rich,sex --out other.safetensors");
    shop.refuses("page compiled.safetensors --data other.safetensors --collateral sex --out r", &["other.safetensors"]);
}
