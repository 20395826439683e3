halflight dataset draw --count 20000 --pairs --seed 1 --out train.safetensors

halflight dataset draw --count 5000 --seed 2 --out test.safetensors

halflight train --data train.safetensors --validation test.safetensors --quiet \
    --main character --collateral font --defence match --out network.safetensors

halflight compile network.safetensors --data train.safetensors --out compiled.safetensors --quiet

halflight authority init  --network compiled.safetensors --folder authority --quiet

halflight authority issue --network compiled.safetensors --folder authority --out functional.key --quiet

halflight encrypt --parameters authority/public --data test.safetensors --items 0..3 --out ciphertexts --quiet

halflight predict --key functional.key --network compiled.safetensors ciphertexts/*.ct --quiet
